//! Support for generated types: [`record!`](crate::record!) reads a struct from the members of an
//! object.

mod secret;

use std::{fmt, marker::PhantomData};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

pub use secret::Secret;
#[doc(hidden)]
pub use serde;

/// A struct that is read from the members of an object; [`record!`](crate::record!) implements it.
pub trait Record: Sized {
    /// Its name, for messages.
    const NAME: &'static str;

    /// Reads the members of an object.
    ///
    /// # Errors
    ///
    /// A member is missing, unknown, or of another type.
    fn read<'de, M: MapAccess<'de>>(members: M) -> Result<Self, M::Error>;
}

/// Reads a struct, as `Deserialize` does.
///
/// # Errors
///
/// The value is not an object, or does not fit the struct.
pub fn record<'de, T: Record, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Members(PhantomData))
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Record> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "struct {}", T::NAME)
    }

    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<T, M::Error> {
        T::read(members)
    }
}

/// The name of a member.
#[derive(Debug)]
pub enum Name {
    /// One of those that are known.
    Known(&'static str),
    /// Another one.
    Other(String),
}

/// Reads the name of a member; these are known.
#[derive(Clone, Copy, Debug)]
pub struct Names(pub &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Names {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Names {
    type Value = Name;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
        let known = self.0.iter().find(|known| **known == name);
        Ok(known.map_or_else(|| Name::Other(name.to_owned()), |known| Name::Known(known)))
    }
}

/// Implements `Deserialize` for a struct; each field is listed with its name in JSON.
///
/// - A `required` member has to be there.
/// - An `optional` one is `None` where it is missing or null.
/// - A `nullable` one is `None` where it is missing: its field is the `Option` of a type that takes
///   null.
///
/// Members with other names are `ignored`, refused if it is `closed`, or `kept` in the field that
/// follows the word, a `BTreeMap`.
#[macro_export]
macro_rules! record {
    ($name:ident { $($presence:ident $field:ident $wire:literal,)* } $others:ident $($kept:ident)?) => {
        impl $crate::Record for $name {
            const NAME: &'static str = stringify!($name);

            #[allow(deprecated, unused_mut)]
            fn read<'de, M: $crate::serde::de::MapAccess<'de>>(
                mut members: M,
            ) -> ::std::result::Result<Self, M::Error> {
                const NAMES: &[&str] = &[$($wire),*];
                $(let mut $field = None;)*
                $(let mut $kept = ::std::collections::BTreeMap::new();)?
                while let Some(name) = members.next_key_seed($crate::Names(NAMES))? {
                    match name {
                        $($crate::Name::Known($wire) => $field = Some(members.next_value()?),)*
                        $crate::Name::Known(_) => {}
                        $crate::Name::Other(name) => {
                            $crate::record!(@others $others name members NAMES $($kept)?);
                        }
                    }
                }
                Ok(Self {
                    $($field: $crate::record!(@$presence $field $wire),)*
                    $($kept,)?
                })
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::record(deserializer)
            }
        }
    };
    (@required $field:ident $wire:literal) => {
        $field.ok_or_else(|| $crate::serde::de::Error::missing_field($wire))?
    };
    (@optional $field:ident $wire:literal) => { $field.flatten() };
    (@nullable $field:ident $wire:literal) => { $field };
    (@others ignored $name:ident $members:ident $names:ident) => {{
        let _ = $name;
        $members.next_value::<$crate::serde::de::IgnoredAny>()?
    }};
    (@others closed $name:ident $members:ident $names:ident) => {
        return Err($crate::serde::de::Error::unknown_field(&$name, $names))
    };
    (@others kept $name:ident $members:ident $names:ident $kept:ident) => {
        $kept.insert($name, $members.next_value()?)
    };
}

/// The examples of the README, to be compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
