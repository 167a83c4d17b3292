//! Addition for structs of counters.

/// Implements `Add`, `AddAssign` and `Sum` field by field.
///
/// Additions saturate: a total over many components is a report, and a report that stays at the
/// maximum is better than one that wraps to a small number or panics.
macro_rules! impl_saturating_sum {
    ($ty:ident { $($field:ident),+ $(,)? }) => {
        /// Adds field by field, saturating.
        impl core::ops::Add for $ty {
            type Output = Self;

            #[inline]
            fn add(self, other: Self) -> Self {
                Self { $($field: self.$field.saturating_add(other.$field)),+ }
            }
        }

        /// Adds field by field, saturating.
        impl core::ops::AddAssign for $ty {
            #[inline]
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        /// Adds field by field, saturating.
        impl core::iter::Sum for $ty {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::new(), core::ops::Add::add)
            }
        }

        /// Adds field by field, saturating.
        impl<'a> core::iter::Sum<&'a Self> for $ty {
            fn sum<I: Iterator<Item = &'a Self>>(items: I) -> Self {
                items.copied().sum()
            }
        }
    };
}

pub(crate) use impl_saturating_sum;
