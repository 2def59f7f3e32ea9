//! The ten stores by their two-letter codes.

use std::fmt;
use std::str::FromStr;

use crate::id::InvalidId;

macro_rules! stores {
    ($($variant:ident $code:literal $name:literal;)*) => {
        /// A debrid service, by the two-letter code used in links, databases and the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum StoreCode {
            $(#[doc = $name] $variant,)*
        }

        impl StoreCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The two letters.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The name people know.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

stores! {
    TorBox "tb" "TorBox";
    RealDebrid "rd" "Real-Debrid";
    AllDebrid "ad" "AllDebrid";
    Premiumize "pm" "Premiumize";
    DebridLink "dl" "Debrid-Link";
    Offcloud "oc" "Offcloud";
    PikPak "pp" "PikPak";
    EasyDebrid "ed" "EasyDebrid";
    Debrider "dr" "Debrider";
    Torrin "ti" "Torrin";
}

impl FromStr for StoreCode {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .iter()
            .copied()
            .find(|store| store.as_str() == text)
            .ok_or(InvalidId { what: "the store", expected: "one of tb, rd, ad, pm, dl, oc, pp, ed, dr, ti" })
    }
}

impl fmt::Display for StoreCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_round_trip() {
        for store in StoreCode::ALL {
            assert_eq!(store.as_str().parse::<StoreCode>().unwrap(), *store);
        }
        assert!("TB".parse::<StoreCode>().is_err());
        assert_eq!(StoreCode::ALL.len(), 10);
    }
}
