//! The dataset as it is, and files that are damaged.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;

use super::*;

const HEAD: &str =
    "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres\n";
const TEXT: &str = "tt0000001\tshort\tCarmencita\tCarmencita\t0\t1894\t\\N\t1\tDocumentary,Short\n\
    tt0047706\ttvSeries\tThe Adventures of Robin Hood\tThe Adventures of Robin Hood\t0\t1955\t1960\t30\tAction\n\
    tt0047707\ttvEpisode\tThe Moneylender\tThe Moneylender\t0\t1955\t\\N\t30\tAction\n\
    tt0063350\tmovie\t\"Night\" of the Living Dead\tLa noche\t0\t1968\t\\N\t96\tHorror\n\
    tt0999999\tvideoGame\tA Game\tA Game\t0\t1999\t\\N\t\\N\t\\N\n\
    tt1234567\ttvMiniSeries\tSoon\tSoon\t0\t\\N\t\\N\t\\N\t\\N\n";

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn all(bytes: &[u8]) -> Vec<TitleRow> {
    ImdbFile::open(file(bytes).path()).unwrap().map(Result::unwrap).collect()
}

fn lines(rows: &[TitleRow]) -> Vec<String> {
    let line = |row: &TitleRow| {
        let (kind, original) = (row.kind.as_str(), row.original_title.as_deref().unwrap_or("-"));
        format!("{} {kind} {} | {original} | {}", row.imdb, row.title, row.year.unwrap_or(0))
    };
    rows.iter().map(line).collect()
}

#[test]
fn films_and_series_are_read_plain_and_compressed() {
    let text = format!("{HEAD}{TEXT}");
    let expected = [
        "tt0000001 short Carmencita | - | 1894",
        "tt0047706 tvSeries The Adventures of Robin Hood | - | 1955",
        "tt0063350 movie \"Night\" of the Living Dead | La noche | 1968",
        "tt1234567 tvMiniSeries Soon | - | 0",
    ];
    assert_eq!(lines(&all(text.as_bytes())), expected);
    assert_eq!(lines(&all(&gzip(text.as_bytes()))), expected);
    let (first, second) = text.as_bytes().split_at(300);
    assert_eq!(lines(&all(&[gzip(first), gzip(second)].concat())), expected, "gzip in two members");
    assert_eq!(lines(&all(text.replace('\n', "\r\n").as_bytes())), expected);
    assert_eq!(lines(&all(text.trim_end().as_bytes())), expected, "without the last line's end");
}

#[test]
fn a_reading_goes_on_where_it_was_broken_off() {
    for bytes in [format!("{HEAD}{TEXT}").into_bytes(), gzip(format!("{HEAD}{TEXT}").as_bytes())] {
        let file = file(&bytes);
        let whole: Vec<_> = ImdbFile::open(file.path()).unwrap().map(Result::unwrap).collect();
        for given in 0..=whole.len() {
            let mut first = ImdbFile::open(file.path()).unwrap();
            let mut rows: Vec<_> = first.by_ref().take(given).map(Result::unwrap).collect();
            let mut again = ImdbFile::open(file.path()).unwrap();
            assert_eq!(again.fingerprint(), first.fingerprint());
            again.skip_to(first.lines_read()).unwrap();
            rows.extend(again.by_ref().map(Result::unwrap));
            assert_eq!(rows, whole, "{given}");
            assert_eq!((again.lines_read(), again.bytes_read()), (7, again.bytes()));
        }
        let mut beyond = ImdbFile::open(file.path()).unwrap();
        beyond.skip_to(1_000).unwrap();
        assert!(beyond.next().is_none());
    }
}

#[test]
fn another_days_file_has_another_fingerprint() {
    let print = |bytes: &[u8]| ImdbFile::open(file(bytes).path()).unwrap().fingerprint().to_owned();
    let rows = TEXT.repeat(2_000);
    let (one, other) = (format!("{HEAD}{rows}tt1\tmovie\tA\n"), format!("{HEAD}{rows}tt1\tmovie\tB\n"));
    assert_eq!(one.len(), other.len());
    assert_ne!(print(one.as_bytes()), print(other.as_bytes()));
    assert_ne!(print(&gzip(one.as_bytes())), print(&gzip(other.as_bytes())));
}

#[test]
fn odd_lines_are_left_out_and_counted() {
    let long = format!("tt7\tmovie\t{}\n", "x".repeat(1 << 20));
    let text = format!(
        "{HEAD}\n{long}tt1\tmovie\ntt2\tmovie\t\\N\tB\t0\t1999\ntt3x\tmovie\tC\nnm4\tmovie\tD\ntt5\tmovie\tE\n\
         tt6\tmovie\tF\u{1}\tF\t0\t99999\t\n{}",
        "tt8\tmovie\tLast\tLast\t0\t2000\n"
    );
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(b"tt9\tmovie\tAm\xe9lie\n");
    let mut read = ImdbFile::open(file(&bytes).path()).unwrap();
    let rows: Vec<_> = read.by_ref().map(Result::unwrap).collect();
    let expected =
        ["tt5 movie E | - | 0", "tt6 movie F | - | 0", "tt8 movie Last | - | 2000", "tt9 movie Am\u{fffd}lie | - | 0"];
    assert_eq!(lines(&rows), expected);
    assert_eq!(read.unreadable(), 6);
}

#[test]
fn a_file_that_ends_early_says_so_after_what_it_had() {
    let rows: String =
        (0..50_000).map(|n| format!("tt{n:07}\tmovie\tFilm {}\t\\N\t0\t1999\n", n * 7919 % 50_021)).collect();
    let whole = gzip(format!("{HEAD}{rows}").as_bytes());
    let cut = file(&whole[..whole.len() / 2]);
    let mut read = ImdbFile::open(cut.path()).unwrap();
    let (mut good, mut errors) = (0, Vec::new());
    for row in read.by_ref() {
        match row {
            Ok(_) => good += 1,
            Err(error) => errors.push(error.to_string()),
        }
    }
    assert!((10_000..50_000).contains(&good), "{good}");
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("ends early") && errors[0].contains("download it again"), "{}", errors[0]);
    assert!(read.next().is_none());
}

#[test]
fn other_files_are_refused() {
    for bytes in [b"".as_slice(), b"nconst\tprimaryName\n", b"PK\x03\x04", &[0; 200_000]] {
        assert!(matches!(ImdbFile::open(file(bytes).path()), Err(ImdbFileError::NotTitles)));
    }
    assert!(matches!(ImdbFile::open(file(b"\x1f\x8b\x08 no").path()), Err(ImdbFileError::Damaged { line: 0, .. })));
    assert!(matches!(ImdbFile::open(Path::new("/nowhere/at/all")), Err(ImdbFileError::Open(_))));
}
