//! The modifiers of detection keys, and which may follow which.

/// Declares [`Modifier`] with the names that rules use.
macro_rules! modifiers {
    ($($modifier:ident $name:literal),+ $(,)?) => {
        /// A modifier of a detection key.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Modifier { $($modifier,)+ }

        impl Modifier {
            /// The name; `wide` is another one for `utf16le`.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$modifier => $name,)+ }
            }

            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$modifier),)+
                    "wide" => Some(Self::Utf16Le),
                    _ => None,
                }
            }
        }

        /// The modifiers' names, for advice.
        pub(super) const NAMES: &[&str] = &[$($name,)+ "wide"];
    };
}

modifiers! {
    Contains "contains", StartsWith "startswith", EndsWith "endswith", All "all", Cased "cased", Neq "neq",
    Exists "exists", Windash "windash", Re "re", IgnoreCase "i", MultiLine "m", DotAll "s", Base64 "base64",
    Base64Offset "base64offset", Utf16Le "utf16le", Utf16Be "utf16be", Utf16 "utf16", Cidr "cidr", Lt "lt", Lte "lte",
    Gt "gt", Gte "gte", Minute "minute", Hour "hour", Day "day", Week "week", Month "month", Year "year",
    FieldRef "fieldref", Expand "expand",
}

use Modifier as M;

const PLACES: &[M] = &[M::Contains, M::StartsWith, M::EndsWith];
const UTF16: &[M] = &[M::Utf16Le, M::Utf16Be, M::Utf16];
const BASE64: &[M] = &[M::Base64, M::Base64Offset];
const REGEX: &[M] = &[M::Re, M::IgnoreCase, M::MultiLine, M::DotAll];
const CLOCK: &[M] = &[M::Minute, M::Hour, M::Day, M::Week, M::Month, M::Year];
const ORDER: &[M] = &[M::Lt, M::Lte, M::Gt, M::Gte];

impl Modifier {
    /// The modifiers that make sense after this one, directly or later.
    pub(super) fn followers(self) -> impl Iterator<Item = Self> {
        let groups: &[&[Self]] = match self {
            M::Contains | M::StartsWith | M::EndsWith => {
                &[&[M::All, M::Cased, M::Neq, M::Windash, M::FieldRef, M::Expand]]
            }
            M::All => &[PLACES, &[M::Cased, M::Windash], UTF16, BASE64, REGEX, &[M::Cidr, M::FieldRef, M::Expand]],
            M::Cased => &[PLACES, &[M::All, M::Neq, M::Windash], UTF16, BASE64, &[M::FieldRef, M::Expand]],
            M::Neq => {
                &[PLACES, &[M::Cased, M::Windash], UTF16, BASE64, REGEX, CLOCK, &[M::Cidr, M::FieldRef, M::Expand]]
            }
            M::Windash => &[PLACES, &[M::All, M::Cased, M::Neq], UTF16, BASE64],
            M::Re | M::IgnoreCase | M::MultiLine | M::DotAll => {
                &[&[M::IgnoreCase, M::MultiLine, M::DotAll, M::All, M::Neq]]
            }
            M::Utf16Le | M::Utf16Be | M::Utf16 => &[BASE64, PLACES, &[M::All, M::Cased, M::Neq]],
            M::Base64 | M::FieldRef => &[PLACES, &[M::All, M::Cased, M::Neq]],
            M::Base64Offset => &[&[M::Contains, M::All, M::Cased, M::Neq]],
            M::Cidr => &[&[M::All, M::Neq]],
            M::Minute | M::Hour | M::Day | M::Week | M::Month | M::Year => &[ORDER, &[M::Neq]],
            M::Expand => &[PLACES, &[M::All, M::Cased, M::Neq, M::Windash], UTF16, BASE64, &[M::Cidr]],
            M::Exists | M::Lt | M::Lte | M::Gt | M::Gte => &[],
        };
        groups.iter().copied().flatten().copied()
    }

    /// Whether `later` makes sense somewhere after this one.
    pub(super) fn allows(self, later: Self) -> bool {
        self.followers().any(|follower| follower == later)
    }

    /// The modifiers of which one must stand elsewhere in the key for this one to mean anything.
    pub(super) const fn needs(self) -> Option<Need> {
        match self {
            M::IgnoreCase | M::MultiLine | M::DotAll => Some(Need { before: true, one_of: &[M::Re] }),
            M::Utf16Le | M::Utf16Be | M::Utf16 => Some(Need { before: false, one_of: &[M::Base64, M::Base64Offset] }),
            _ => None,
        }
    }

    /// Whether the modifier works on keywords, which have no field.
    pub(super) const fn without_field(self) -> bool {
        matches!(
            self,
            M::All
                | M::Cased
                | M::Windash
                | M::Re
                | M::IgnoreCase
                | M::MultiLine
                | M::DotAll
                | M::Base64
                | M::Base64Offset
                | M::Utf16Le
                | M::Utf16Be
                | M::Utf16
                | M::Expand
        )
    }
}

/// What a modifier cannot do without.
pub(super) struct Need {
    /// It must stand before; otherwise after.
    pub(super) before: bool,
    pub(super) one_of: &'static [Modifier],
}
