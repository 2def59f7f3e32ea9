//! `.torrent` files (BEP 3) of the catalogue's torrents.
//!
//! The pieces are made up, since a file's content here depends on the hash and the hash on the pieces; no client of ours
//! downloads from peers. Everything else is as a real file has it, so its hash is a true SHA-1 of its info dictionary.

use sha1::{Digest, Sha1};

use crate::torbox::Torrent;

/// Large, so that a torrent of many GB has a file of some KB.
const PIECE: u64 = 16 << 20;

/// The whole file.
pub(crate) fn file(torrent: &Torrent) -> Vec<u8> {
    let announce = b"d8:announce34:udp://tracker.example.net:6969/ann10:created by9:chill-sim4:info";
    [announce.as_slice(), &info(torrent), b"e"].concat()
}

/// The infohash of that file, 40 lower-case hex digits.
pub(crate) fn hash(torrent: &Torrent) -> String {
    data_encoding::HEXLOWER.encode(&Sha1::digest(info(torrent)))
}

/// The info dictionary; its keys are sorted, as BEP 3 wants.
fn info(torrent: &Torrent) -> Vec<u8> {
    let mut info = b"d".to_vec();
    let alone = torrent.files.len() == 1 && torrent.files[0].path == torrent.name;
    if alone {
        info.extend(format!("6:lengthi{}e", torrent.size()).bytes());
    } else {
        info.extend(b"5:filesl");
        for file in &torrent.files {
            info.extend(format!("d6:lengthi{}e4:pathl", file.size).bytes());
            for part in file.path.split('/') {
                info.extend(format!("{}:{part}", part.len()).bytes());
            }
            info.extend(b"ee");
        }
        info.extend(b"e");
    }
    info.extend(format!("4:name{}:{}12:piece lengthi{PIECE}e", torrent.name.len(), torrent.name).bytes());
    let pieces = torrent.size().div_ceil(PIECE);
    info.extend(format!("6:pieces{}:", pieces * 20).bytes());
    for piece in 0..pieces {
        info.extend(Sha1::digest(format!("{}/{piece}", torrent.name)));
    }
    info.extend(if torrent.private { b"7:privatei1ee".as_slice() } else { b"e" });
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_bencode_with_sorted_keys() {
        let pack = Torrent::new("Pack", [("a.mkv", 7), ("x/b.mkv", 2)]).private();
        let text = String::from_utf8_lossy(&info(&pack)).into_owned();
        let start = "d5:filesld6:lengthi7e4:pathl5:a.mkveed6:lengthi2e4:pathl1:x5:b.mkveee4:name4:Pack12:piece lengthi16777216e\
            6:pieces20:";
        assert!(text.starts_with(start) && text.ends_with("7:privatei1ee"), "{text}");
        let alone = String::from_utf8_lossy(&info(&Torrent::single("a.mkv", 20 << 20))).into_owned();
        assert!(alone.starts_with("d6:lengthi20971520e4:name5:a.mkv") && alone.contains("6:pieces40:"), "{alone}");
        assert_eq!(pack.clone().with_own_hash().hash.len(), 40);
        assert_ne!(pack.clone().with_own_hash().hash, Torrent { private: false, ..pack }.with_own_hash().hash);
    }
}
