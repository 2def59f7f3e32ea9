//! Torrent files of all kinds, and bytes that are none.

use proptest::prelude::*;

use super::*;

/// A file whose info dictionary holds `info`.
fn file(info: &str) -> Vec<u8> {
    format!("d8:announce9:udp://t:14:infod{info}ee").into_bytes()
}

const PIECES: &str = "12:piece lengthi16384e6:pieces20:AAAAAAAAAAAAAAAAAAAA";

fn paths(torrent: &Torrent) -> Vec<(&str, u64)> {
    torrent.files.iter().map(|file| (file.path.as_str(), file.size.unwrap())).collect()
}

#[test]
fn a_single_file_is_read_and_hashed() {
    let info = format!("6:lengthi5000e4:name6:A .mkv{PIECES}");
    let torrent = Torrent::read(&file(&info)).unwrap();
    // As `printf 'd6:lengthi5000e…e' | sha1sum` says.
    assert_eq!(torrent.hash.to_string(), "027dde4105fca995394e68e1ff38a7137767c60e");
    assert_eq!((torrent.name.as_str(), torrent.size, torrent.private), ("A .mkv", 5_000, false));
    assert_eq!(paths(&torrent), [("/A .mkv", 5_000)]);
    let more = [file(&info), b"\n\0rest".to_vec()].concat();
    assert_eq!(Torrent::read(&more).unwrap(), torrent, "what follows does not matter");
    let nameless = Torrent::read(&file(&format!("6:lengthi5000e{PIECES}")));
    assert_eq!(nameless, Err(TorrentError::Damaged));
}

#[test]
fn files_are_listed_without_their_padding() {
    let files = "5:filesl\
        d6:lengthi7e4:pathl3:Sub5:a.mkvee\
        d4:attr1:p6:lengthi9e4:pathl4:.pad1:9ee\
        d6:lengthi9e4:pathl4:.pad2:99ee\
        d6:lengthi3e4:pathl30:_____padding_file_0_if you seeee\
        d6:lengthi1e4:pathl1:?e10:path.utf-8l6:\u{e9}.srtee\
        d4:attr1:x6:lengthi2e4:pathl2:..0:1:.3:b/cee\
        e";
    let torrent = Torrent::read(&file(&format!("{files}4:name4:Pack{PIECES}7:privatei1e"))).unwrap();
    assert_eq!((torrent.size, torrent.private), (10, true));
    assert_eq!(paths(&torrent), [("/Sub/a.mkv", 7), ("/\u{e9}.srt", 1), ("/b_c", 2)]);
}

#[test]
fn version_2_alone_has_no_hash_and_a_hybrid_has_one() {
    let tree = "9:file treed5:a.mkvd0:d6:lengthi5eeee";
    let newer = file(&format!("{tree}12:meta versioni2e4:name1:A12:piece lengthi16384e"));
    assert_eq!(Torrent::read(&newer), Err(TorrentError::OnlyVersion2));
    let hybrid = file(&format!("{tree}6:lengthi5e12:meta versioni2e4:name5:a.mkv{PIECES}"));
    assert_eq!(paths(&Torrent::read(&hybrid).unwrap()), [("/a.mkv", 5)]);
}

#[test]
fn what_is_no_torrent_is_refused() {
    for bytes in ["", "<html>", "d", "de", "i1e", "d4:infoi1ee", "d4:info5:helloe", "d8:announce3:abce"] {
        assert_eq!(Torrent::read(bytes.as_bytes()), Err(TorrentError::NotATorrent), "{bytes}");
    }
    for info in [
        String::new(),
        format!("4:name1:A{PIECES}"),
        format!("6:lengthi-5e4:name1:A{PIECES}"),
        "6:lengthi5e4:name1:A12:piece lengthi16384e6:pieces3:AAA".to_owned(),
        "6:lengthi5e4:name1:A12:piece lengthi0e6:pieces0:".to_owned(),
        format!("5:filesl5:helloe4:name1:A{PIECES}"),
        format!("5:filesld6:lengthi5eee4:name1:A{PIECES}"),
        format!(
            "5:filesld6:lengthi9223372036854775807e4:pathl1:aeed6:lengthi9223372036854775807e4:pathl1:beed6:lengthi9e4:pathl1:ceee4:name1:A{PIECES}"
        ),
    ] {
        assert_eq!(Torrent::read(&file(&info)), Err(TorrentError::Damaged), "{info}");
    }
}

#[test]
fn a_file_is_cut_anywhere_without_harm() {
    let whole = file(&format!("5:filesld6:lengthi7e4:pathl3:Sub5:a.mkveee4:name4:Pack{PIECES}"));
    assert!(Torrent::read(&whole).is_ok());
    for end in 0..whole.len() {
        assert!(Torrent::read(&whole[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_hundred_thousand_files_are_bounded() {
    let files = "d6:lengthi1e4:pathl1:aee".repeat(100_000);
    let torrent = Torrent::read(&file(&format!("5:filesl{files}e4:name4:Pack{PIECES}"))).unwrap();
    assert_eq!((torrent.files.len(), torrent.size), (FILES, 100_000));
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Torrent::read(&bytes);
    }

    #[test]
    fn no_pieces_of_bencode_cause_a_panic(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "d", "l", "e", "i1e", "i-", "0:", "4:info", "5:files", "6:length", "4:path", "4:name", "6:pieces", "1:a",
                "99999:", "12:piece length", "7:private", "i9223372036854775807e", ":",
            ]),
            0..60,
        )
    ) {
        let _ = Torrent::read(parts.concat().as_bytes());
    }

    #[test]
    fn a_changed_byte_causes_no_panic_and_hashes_stay_true(at in 0_usize..150, byte in any::<u8>()) {
        let mut bytes = file(&format!("5:filesld6:lengthi7e4:pathl3:Sub5:a.mkveee4:name4:Pack{PIECES}"));
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(torrent) = Torrent::read(&bytes) {
            let start = bytes.windows(6).position(|window| window == b"4:info").unwrap() + 6;
            let info = &bytes[start..start + bencode::first(&bytes[start..]).unwrap().len()];
            let computed: [u8; 20] = Sha1::digest(info).into();
            prop_assert_eq!(torrent.hash.as_bytes(), &computed);
        }
    }
}
