//! Reads `#[reset(key, key = value)]`.
//!
//! A value is code (`value = 1 + 1`) or a string that holds code (`value = "1 + 1"`). An error
//! in one setting does not hide errors in the next: the reader goes on after the next comma.

use proc_macro2::TokenTree;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprPath, Ident, LitStr, Path, Token, WherePredicate};

use crate::errors::Errors;

/// What the attributes of one place (a type, a variant, a field) say.
pub(crate) trait Settings: Default {
    /// The place, as error messages call it.
    const PLACE: &'static str;
    /// The keys that are known there.
    const KEYS: &'static [&'static str];

    /// Reads what follows `key`, which is one of `KEYS`.
    fn set(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()>;

    /// Reads all `#[reset(…)]` of one place.
    fn read(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut settings = Self::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("reset"))
        {
            if let Err(error) = read_attribute(attribute, &mut settings, errors) {
                errors.push(error);
            }
        }
        settings
    }
}

/// The settings of a struct or an enum.
#[derive(Default)]
pub(crate) struct ContainerSettings {
    pub(crate) krate: Option<Path>,
    pub(crate) bound: Option<Punctuated<WherePredicate, Token![,]>>,
}

/// The settings of a variant.
#[derive(Default)]
pub(crate) struct VariantSettings {
    pub(crate) default: Option<Ident>,
}

/// The settings of a field.
#[derive(Default)]
pub(crate) struct FieldSettings {
    /// How to reset the field, with the key that said so.
    pub(crate) how: Option<(Ident, How)>,
    pub(crate) retained: Option<ExprPath>,
    /// The first key of the field, to point at when the field may not have any.
    pub(crate) first_key: Option<Ident>,
}

/// How a field is reset when not by its own `Reset`.
pub(crate) enum How {
    Skip,
    With(ExprPath),
    Value(Box<Expr>),
}

impl Settings for ContainerSettings {
    const PLACE: &'static str = "a struct or enum";
    const KEYS: &'static [&'static str] = &["crate", "bound"];

    fn set(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        if key == "crate" {
            let path = value(key, input, Path::parse_mod_style)?;
            set_once(&mut self.krate, path, key)
        } else {
            let predicates = bounds(key, input)?;
            set_once(&mut self.bound, predicates, key)
        }
    }
}

impl Settings for VariantSettings {
    const PLACE: &'static str = "a variant";
    const KEYS: &'static [&'static str] = &["default"];

    fn set(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        no_value(key, input)?;
        set_once(&mut self.default, key.clone(), key)
    }
}

impl Settings for FieldSettings {
    const PLACE: &'static str = "a field";
    const KEYS: &'static [&'static str] = &["skip", "with", "value", "retained"];

    fn set(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        self.first_key.get_or_insert_with(|| key.clone());
        let how = if key == "skip" {
            no_value(key, input)?;
            How::Skip
        } else if key == "with" {
            How::With(value(key, input, ExprPath::parse)?)
        } else if key == "value" {
            How::Value(Box::new(value(key, input, Expr::parse)?))
        } else {
            let path = value(key, input, ExprPath::parse)?;
            return set_once(&mut self.retained, path, key);
        };
        match &self.how {
            Some((earlier, _)) if earlier != key => Err(Error::new(
                key.span(),
                format!("`{key}` contradicts `{earlier}`: a field is reset in one way"),
            )),
            Some(_) => Err(duplicate(key)),
            None => {
                self.how = Some((key.clone(), how));
                Ok(())
            }
        }
    }
}

fn read_attribute<S: Settings>(
    attribute: &Attribute,
    settings: &mut S,
    errors: &mut Errors,
) -> syn::Result<()> {
    let list = attribute.meta.require_list()?;
    if list.tokens.is_empty() {
        let message = format!("empty: {} takes {}", S::PLACE, known_keys::<S>());
        return Err(Error::new(attribute.path().span(), message));
    }
    let parser = |input: ParseStream<'_>| read_list(input, settings, errors);
    parser.parse2(list.tokens.clone())
}

/// Reads one comma-separated list. Errors that leave the reader in step go to `errors`.
fn read_list<S: Settings>(
    input: ParseStream<'_>,
    settings: &mut S,
    errors: &mut Errors,
) -> syn::Result<()> {
    while !input.is_empty() {
        let key = input.call(Ident::parse_any)?;
        let result = check_key::<S>(&key).and_then(|()| {
            settings.set(&key, input)?;
            if input.is_empty() || input.peek(Token![,]) {
                return Ok(());
            }
            Err(input.error("expected a comma"))
        });
        if let Err(error) = result {
            errors.push(error);
            while !input.is_empty() && !input.peek(Token![,]) {
                input.parse::<TokenTree>()?;
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

fn check_key<S: Settings>(key: &Ident) -> syn::Result<()> {
    if S::KEYS.iter().any(|known| key == known) {
        return Ok(());
    }
    // `key` may be any identifier, and only a raw one differs from its `unraw`.
    let plain = key.unraw();
    if *key != plain {
        let message = format!("settings are never raw: write `{plain}`");
        return Err(Error::new(key.span(), message));
    }
    let home = [
        (ContainerSettings::KEYS, ContainerSettings::PLACE),
        (VariantSettings::KEYS, VariantSettings::PLACE),
        (FieldSettings::KEYS, FieldSettings::PLACE),
    ]
    .into_iter()
    .find(|(keys, _)| keys.iter().any(|known| key == known));
    let message = match home {
        Some((_, home)) => format!("`{key}` belongs on {home}, not on {}", S::PLACE),
        None => format!(
            "unknown setting `{key}`: {} takes {}",
            S::PLACE,
            known_keys::<S>()
        ),
    };
    Err(Error::new(key.span(), message))
}

/// The keys of a place as text: `` `a`, `b` or `c` ``.
fn known_keys<S: Settings>() -> String {
    let quoted: Vec<_> = S::KEYS.iter().map(|key| format!("`{key}`")).collect();
    match quoted.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        all => all.concat(),
    }
}

fn set_once<T>(place: &mut Option<T>, value: T, key: &Ident) -> syn::Result<()> {
    if place.is_some() {
        return Err(duplicate(key));
    }
    *place = Some(value);
    Ok(())
}

fn duplicate(key: &Ident) -> Error {
    Error::new(key.span(), format!("`{key}` is given twice"))
}

fn no_value(key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![=]) {
        return Err(Error::new(key.span(), format!("`{key}` takes no value")));
    }
    Ok(())
}

/// Reads `= code` or `= "code"`.
///
/// A string counts as quoted code only when it is the whole value: `"a".len()` is code itself.
fn value<T>(
    key: &Ident,
    input: ParseStream<'_>,
    parser: fn(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    equals_sign(key, input)?;
    let ahead = input.fork();
    if ahead.parse::<LitStr>().is_ok() && (ahead.is_empty() || ahead.peek(Token![,])) {
        let quoted: LitStr = input.parse()?;
        return quoted.parse_with(parser).map_err(|error| {
            if key == "value" {
                not_code(&quoted, &error)
            } else {
                error
            }
        });
    }
    parser(input)
}

/// The error for a string that is no code, which was probably meant as a value.
fn not_code(quoted: &LitStr, error: &Error) -> Error {
    let text = quoted.value();
    let message = format!(
        "{error}; a string is code: for the text itself, write {:?}",
        format!("{text:?}")
    );
    Error::new(error.span(), message)
}

/// Reads `= "bounds"`. Bare bounds would swallow the settings that come after the next comma.
fn bounds(
    key: &Ident,
    input: ParseStream<'_>,
) -> syn::Result<Punctuated<WherePredicate, Token![,]>> {
    equals_sign(key, input)?;
    if !input.peek(LitStr) {
        return Err(input.error("bounds stand in a string: `bound = \"T: Trait\"`"));
    }
    input
        .parse::<LitStr>()?
        .parse_with(Punctuated::parse_terminated)
}

fn equals_sign(key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    let found = input.parse::<Option<Token![=]>>()?.is_some();
    if !found || input.is_empty() || input.peek(Token![,]) {
        let message = format!("`{key}` needs a value: `{key} = …`");
        return Err(Error::new(key.span(), message));
    }
    Ok(())
}
