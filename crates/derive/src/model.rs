//! The type to derive for, checked: what a `DeriveInput` means once its attributes are read.

use proc_macro2::TokenTree;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DataEnum, DeriveInput, ExprPath, Fields, Generics, Ident, Index, Member, Path,
    Token, Type, Variant, WherePredicate,
};

use crate::attr::{ContainerSettings, FieldSettings, How, Settings, VariantSettings};
use crate::errors::Errors;

pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The path through which the generated code names the trait: `#krate::Reset`.
    pub(crate) krate: Path,
    /// The bounds that replace the computed ones.
    pub(crate) bound: Option<Punctuated<WherePredicate, Token![,]>>,
    /// Whether the type is deprecated, or mentions something that is.
    pub(crate) is_deprecated: bool,
    pub(crate) shape: Shape,
}

pub(crate) enum Shape {
    Struct(Vec<Field>),
    Enum {
        /// The variant that a reset goes to.
        variant: Ident,
        fields: Vec<Field>,
        /// Whether the enum has other variants, from which the fields have to be made anew.
        has_others: bool,
    },
}

pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    /// `None`: by the field's own `Reset`.
    pub(crate) how: Option<How>,
    pub(crate) retained: Option<ExprPath>,
}

impl Model {
    /// # Errors
    ///
    /// All mistakes in the attributes and in the shape of the type, in one error.
    pub(crate) fn new(input: DeriveInput, default_crate: Path) -> syn::Result<Self> {
        let mut errors = Errors::default();
        let settings = ContainerSettings::read(&input.attrs, &mut errors);
        let is_deprecated = mentions_deprecated(&input);
        let shape = match input.data {
            Data::Struct(data) => {
                let fields = read_fields(data.fields, &mut errors);
                if is_packed(&input.attrs) {
                    reject_borrows(&fields, &mut errors);
                }
                Shape::Struct(fields)
            }
            Data::Enum(data) => read_enum(data, &input.ident, &mut errors),
            Data::Union(data) => {
                let message = "`Reset` cannot be derived for a union: \
                               nothing says which of its fields is live";
                return Err(syn::Error::new(data.union_token.span, message));
            }
        };
        errors.finish()?;
        Ok(Self {
            ident: input.ident,
            generics: input.generics,
            krate: settings.krate.unwrap_or(default_crate),
            bound: settings.bound,
            is_deprecated,
            shape,
        })
    }
}

fn read_fields(fields: Fields, errors: &mut Errors) -> Vec<Field> {
    let mut index = 0_u32;
    fields
        .into_iter()
        .map(|field| {
            let settings = FieldSettings::read(&field.attrs, errors);
            let span = field.ty.span();
            let member = field
                .ident
                .map_or_else(|| Member::Unnamed(Index { index, span }), Member::Named);
            index += 1;
            let how = settings.how.map(|(_, how)| how);
            Field {
                member,
                ty: field.ty,
                how,
                retained: settings.retained,
            }
        })
        .collect()
}

/// Finds the default variant and reads the settings of its fields.
fn read_enum(data: DataEnum, ident: &Ident, errors: &mut Errors) -> Shape {
    let has_others = data.variants.len() > 1;
    let mut default: Option<Variant> = None;
    let mut others = Vec::new();
    for variant in data.variants {
        match VariantSettings::read(&variant.attrs, errors).default {
            Some(key) if default.is_some() => {
                errors.at(
                    key.span(),
                    "a second default: only one variant can be \"as new\"",
                );
            }
            Some(_) => default = Some(variant),
            None => others.push(variant),
        }
    }
    let Some(default) = default else {
        let message = if others.is_empty() {
            "an enum without variants has no value to reset"
        } else {
            "mark the variant that a reset goes to with `#[reset(default)]`"
        };
        errors.at(ident.span(), message);
        return Shape::Struct(Vec::new());
    };
    for variant in &others {
        reject_field_settings(variant, errors);
    }
    let fields = read_fields(default.fields, errors);
    Shape::Enum {
        variant: default.ident,
        fields,
        has_others,
    }
}

/// A setting in a variant that a reset drops would have no effect, so it is a mistake.
fn reject_field_settings(variant: &Variant, errors: &mut Errors) {
    for field in &variant.fields {
        if let Some(key) = FieldSettings::read(&field.attrs, errors).first_key {
            let message = format!(
                "`{key}` has no effect here: a reset drops `{}` and goes to the default variant",
                variant.ident,
            );
            errors.at(key.span(), message);
        }
    }
}

/// A field of a packed struct may be misaligned, so nothing may borrow it.
fn reject_borrows(fields: &[Field], errors: &mut Errors) {
    for field in fields {
        let borrows = matches!(field.how, None | Some(How::With(_))) || field.retained.is_some();
        if borrows {
            let message = "a field of a packed struct cannot be borrowed: \
                           use `#[reset(value = …)]` or `#[reset(skip)]`";
            errors.at(field.ty.span(), message);
        }
    }
}

fn is_packed(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("repr"))
        .filter_map(|attribute| attribute.meta.require_list().ok())
        .flat_map(|list| list.tokens.clone())
        .any(|token| matches!(token, TokenTree::Ident(ident) if ident == "packed"))
}

/// Whether something in the declaration is deprecated, or allowed to mention what is: then the
/// generated code, which mentions the same things, is allowed to as well.
///
/// Not in any other case: under `#![forbid(deprecated)]`, allowing it is an error.
fn mentions_deprecated(input: &DeriveInput) -> bool {
    let variants: Vec<&Variant> = match &input.data {
        Data::Enum(data) => data.variants.iter().collect(),
        Data::Struct(_) | Data::Union(_) => Vec::new(),
    };
    let fields: Vec<&Fields> = match &input.data {
        Data::Struct(data) => vec![&data.fields],
        _ => variants.iter().map(|variant| &variant.fields).collect(),
    };
    let of_variants = variants.iter().map(|variant| &variant.attrs);
    let of_fields = fields.into_iter().flatten().map(|field| &field.attrs);
    core::iter::once(&input.attrs)
        .chain(of_variants)
        .chain(of_fields)
        .flatten()
        .any(says_deprecated)
}

/// Whether this is `#[deprecated]`, or `#[allow]` or `#[expect]` of the lint of that name.
fn says_deprecated(attribute: &Attribute) -> bool {
    let path = attribute.path();
    if path.is_ident("allow") || path.is_ident("expect") {
        let list = attribute.meta.require_list();
        return list.is_ok_and(|list| {
            let mut tokens = list.tokens.clone().into_iter();
            tokens.any(|token| matches!(token, TokenTree::Ident(lint) if lint == "deprecated"))
        });
    }
    path.is_ident("deprecated")
}
