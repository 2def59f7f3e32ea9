//! Sizes as viewers read them.

/// `950 MB`, `1.4 GB`, `12 GB`: steps of 1024, one decimal below ten.
pub(crate) fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let bytes = u128::from(bytes);
    let (mut unit, mut size) = (0, 1_u128);
    // 1023.5 of a unit would be shown as 1024 of it.
    while bytes * 2 >= size * 2_047 && unit + 1 < UNITS.len() {
        size *= 1_024;
        unit += 1;
    }
    let name = UNITS.get(unit).unwrap_or(&"TB");
    let tenths = (bytes * 10 + size / 2) / size;
    if unit > 0 && tenths < 100 {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", (bytes + size / 2) / size)
    }
}

/// `1.5 MB/s`, `350 KB/s`, `12 B/s` for bits per second; units count in steps of 1000, as networks do.
pub(crate) fn rate_text(bits: u64) -> String {
    let bytes = bits / 8;
    match bytes {
        1_000_000.. => {
            let tenths = (u128::from(bytes) + 50_000) / 100_000;
            format!("{}.{} MB/s", tenths / 10, tenths % 10)
        }
        1_000.. => format!("{} KB/s", (bytes + 500) / 1_000),
        _ => format!("{bytes} B/s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let cases = [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KB"),
            (1_536, "1.5 KB"),
            (10_189, "10 KB"),
            (1_048_063, "1023 KB"),
            (1_048_064, "1.0 MB"),
            (734_003_200, "700 MB"),
            (1_073_741_824, "1.0 GB"),
            (1_503_238_553, "1.4 GB"),
            (68_719_476_736, "64 GB"),
            (u64::MAX, "16777216 TB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size_text(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn rates_are_bytes() {
        for (bits, text) in [
            (80, "10 B/s"),
            (8_000, "1 KB/s"),
            (2_800_000, "350 KB/s"),
            (8_000_000, "1.0 MB/s"),
            (52_000_000, "6.5 MB/s"),
        ] {
            assert_eq!(rate_text(bits), text, "{bits}");
        }
        assert_eq!(rate_text(u64::MAX), "2305843009213.7 MB/s");
    }
}
