#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attr;
mod bounds;
mod errors;
mod expand;
mod lifetimes;
mod model;
mod recursion;

use proc_macro::TokenStream;
use syn::{DeriveInput, Path, parse_macro_input, parse_quote};

/// Derives `Reset`: each field is reset, unless an attribute says something else about it.
///
/// # Structs
///
/// Fields are reset in the order in which they are declared. A field cannot be forgotten: one
/// whose type does not implement `Reset` and that has no attribute is a compile error, here or,
/// for a type that mentions a parameter, where the struct is reset.
///
/// | on a field | on a reset |
/// |---|---|
/// | (nothing) | `Reset::reset(&mut field)` |
/// | `#[reset(with = path)]` | `path(&mut field)`, which returns nothing |
/// | `#[reset(value = expr)]` | `field = expr`; the expression cannot name `self` |
/// | `#[reset(skip)]` | nothing: **the field keeps its contents** |
///
/// `expr` is the body of a closure, so that a `return` or a `?` in it ends the expression and not
/// the reset.
///
/// `path` and `expr` may stand in a string: `#[reset(value = "Vec::new()")]`. A string that is
/// meant as a value therefore needs its quotes inside: `#[reset(value = "\"idle\"")]`.
///
/// ```
/// use std::time::Instant;
/// use thrifty_traits::Reset;
///
/// #[derive(Reset)]
/// struct Connection {
///     inbox: Vec<u8>,
///     retries: u32,
///     #[reset(value = Instant::now())]
///     since: Instant,
///     #[reset(with = blank)]
///     banner: [u8; 4],
///     #[reset(skip)]
///     peer: &'static str,
/// }
///
/// fn blank(banner: &mut [u8; 4]) {
///     banner.fill(b' ');
/// }
///
/// let mut connection = Connection {
///     inbox: b"hello".to_vec(),
///     retries: 3,
///     since: Instant::now(),
///     banner: *b"OHAI",
///     peer: "localhost",
/// };
/// connection.reset();
/// assert!(connection.inbox.is_empty() && connection.inbox.capacity() >= 5);
/// assert_eq!((connection.retries, &connection.banner), (0, b"    "));
/// assert_eq!(connection.peer, "localhost");
/// ```
///
/// # Enums
///
/// One variant is marked `#[reset(default)]`. A value in that variant has its fields reset in
/// place, so that they keep their capacity. A value in any other variant is dropped and
/// replaced by the default variant, made of new fields: of `expr` where the field has `value`,
/// and of `Default::default()` otherwise, to which `with` is then applied. In other variants,
/// attributes on fields would have no effect and are an error.
///
/// ```
/// use thrifty_traits::Reset;
///
/// #[derive(Debug, PartialEq, Reset)]
/// enum State {
///     #[reset(default)]
///     Reading { header: Vec<u8> },
///     Failed(String),
/// }
///
/// let mut state = State::Failed("timeout".to_owned());
/// state.reset();
/// assert_eq!(state, State::Reading { header: vec![] });
/// ```
///
/// # Retained bytes
///
/// `retained_bytes` is the saturating sum over the fields that are reset by their own `Reset`.
/// A field with `with`, `value` or `skip` need not implement the trait, so it counts 0, unless
/// `#[reset(retained = path)]` names a `fn(&Field) -> usize`. An enum outside its default
/// variant retains 0, because a reset drops all it holds.
///
/// ```
/// use thrifty_traits::Reset;
///
/// #[derive(Reset)]
/// struct Session {
///     #[reset(skip, retained = Vec::capacity)]
///     table: Vec<u8>,
/// }
///
/// let session = Session { table: Vec::with_capacity(256) };
/// assert!(session.retained_bytes() >= 256);
/// ```
///
/// # Generics
///
/// The implementation gets one bound for each field type that mentions a type or const
/// parameter, on the whole type: `Vec<T>: Reset`, which holds for any `T`. A field with an
/// attribute gets no such bound; the fields of an enum's default variant get `Default` where
/// they are made anew.
///
/// Field types that differ in nothing but lifetimes share a bound over all lifetimes:
/// `Option<&'a T>` and `Option<&'b T>` become `for<'x> Option<&'x T>: Reset`. Where the
/// implementation for such a type says `T: 'a`, that bound holds only if `T: 'static`.
///
/// A field type that mentions the deriving type itself, as in a list, would make its bound prove
/// itself, and needs none: that type can be reset because the other fields can. What the field's
/// type mentions besides is bounded by parameter: `(T, Box<List<T>>)` becomes `T: Reset`. The
/// deriving type is known by the names `Self` and `List`, by `self::List`, and by any path that
/// begins with `crate` and ends in `List`. A path through `super` is not recognised, nor is
/// recursion that goes through a second generic type: these end in an overflow error where the
/// type is used.
///
/// In such cases give the bounds yourself, on the container. `#[reset(bound = "T: Reset")]`
/// replaces all computed bounds, and `bound = ""` is right where every field can be reset
/// whatever the parameters are, as a `Vec<T>` can.
///
/// ```
/// use thrifty_traits::Reset;
///
/// #[derive(Reset)]
/// struct Node<T> {
///     value: T,
///     next: Option<Box<Node<T>>>,
/// }
///
/// let mut node = Node { value: 1, next: Some(Box::new(Node { value: 2, next: None })) };
/// node.reset();
/// assert!(node.value == 0 && node.next.is_none());
/// ```
///
/// # Packed structs
///
/// A field of a `#[repr(packed)]` struct cannot be borrowed, so it needs `value` or `skip`.
///
/// # The path to the trait
///
/// The generated code names one item of ours, the trait: `::thrifty_traits::Reset`. Where that
/// crate has another name, or is reached through a re-export, say so on the container:
/// `#[reset(crate = my_crate::traits)]` makes it `my_crate::traits::Reset`.
#[proc_macro_derive(Reset, attributes(reset))]
pub fn derive_reset(input: TokenStream) -> TokenStream {
    derive(parse_macro_input!(input), parse_quote!(::thrifty_traits)).into()
}

/// The same macro for users of `thrifty-pool`, who may not have `thrifty-traits` in their
/// manifest: it names the trait as `::thrifty_pool::Reset`.
#[doc(hidden)]
#[proc_macro_derive(ResetViaPool, attributes(reset))]
pub fn derive_reset_via_pool(input: TokenStream) -> TokenStream {
    derive(parse_macro_input!(input), parse_quote!(::thrifty_pool)).into()
}

fn derive(input: DeriveInput, default_crate: Path) -> proc_macro2::TokenStream {
    match model::Model::new(input, default_crate) {
        Ok(model) => expand::expand(&model),
        Err(error) => error.into_compile_error(),
    }
}
