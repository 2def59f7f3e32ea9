//! Create bodies: multipart, also from clients that send its header without a boundary, and urlencoded.

use sha1::{Digest, Sha1};

use super::asked::Asked;

/// The fields of a form in order, values as bytes.
pub(super) struct Form(Vec<(String, Vec<u8>)>);

impl Form {
    /// Nothing for a content type that is no form, or a multipart body that does not begin with a boundary.
    pub(super) fn read(asked: &Asked) -> Option<Self> {
        if asked.content_type.starts_with("multipart/form-data") {
            return multipart(&asked.body).map(Self);
        }
        asked.content_type.starts_with("application/x-www-form-urlencoded").then(|| {
            let fields = url::form_urlencoded::parse(&asked.body).into_owned();
            Self(fields.map(|(name, value)| (name, value.into_bytes())).collect())
        })
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        let bytes = self.bytes(name)?;
        Some(String::from_utf8_lossy(bytes).trim().to_owned()).filter(|text| !text.is_empty())
    }

    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// Infohash of the `.torrent` in `file`.
    pub(super) fn torrent_file_hash(&self) -> Option<String> {
        let info = info_dictionary(self.bytes("file")?)?;
        Some(data_encoding::HEXLOWER.encode(&Sha1::digest(info)))
    }
}

/// The official JavaScript SDK overwrites the header and so loses the boundary; the first line of the body has it.
fn multipart(body: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let line_end = find(body, b"\r\n")?;
    let boundary = body.get(..line_end).filter(|line| line.starts_with(b"--") && line.len() > 2)?;
    let mut delimiter = b"\r\n".to_vec();
    delimiter.extend_from_slice(boundary);
    let mut fields = Vec::new();
    let mut rest = body.get(line_end..)?;
    while let Some(end) = find(rest, &delimiter) {
        if let Some(field) = part(rest.get(2..end)?) {
            fields.push(field);
        }
        rest = rest.get(end + delimiter.len()..)?;
        if rest.starts_with(b"--") {
            return Some(fields);
        }
    }
    None
}

fn part(part: &[u8]) -> Option<(String, Vec<u8>)> {
    let head_end = find(part, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(part.get(..head_end)?);
    let name = head.split("name=\"").nth(1)?.split('"').next()?;
    Some((name.to_owned(), part.get(head_end + 4..)?.to_vec()))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// The bencoded value of `info` in a torrent file (BEP 3), as it stands there.
fn info_dictionary(torrent: &[u8]) -> Option<&[u8]> {
    let mut at = 1;
    if torrent.first() != Some(&b'd') {
        return None;
    }
    while torrent.get(at) != Some(&b'e') {
        let key_end = value_end(torrent, at, 0)?;
        let end = value_end(torrent, key_end, 0)?;
        if torrent.get(at..key_end)? == b"4:info" {
            return torrent.get(key_end..end).filter(|info| info.starts_with(b"d"));
        }
        at = end;
    }
    None
}

/// Where the bencoded value that begins at `at` ends.
fn value_end(bytes: &[u8], at: usize, depth: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    match rest.first()? {
        b'i' => Some(at + find(rest, b"e")? + 1),
        b'l' | b'd' if depth < 32 => {
            let mut at = at + 1;
            while *bytes.get(at)? != b'e' {
                at = value_end(bytes, at, depth + 1)?;
            }
            Some(at + 1)
        }
        b'0'..=b'9' => {
            let colon = find(rest.get(..rest.len().min(20))?, b":")?;
            let length: usize = std::str::from_utf8(rest.get(..colon)?).ok()?.parse().ok()?;
            let end = at.checked_add(colon + 1)?.checked_add(length)?;
            (end <= bytes.len()).then_some(end)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_is_read_from_the_body() {
        let body = b"--XyZ\r\nContent-Disposition: form-data; name=\"magnet\"\r\n\r\nmagnet:?a\r\n--XyZ\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: x\r\n\r\n\x00\r\n\x01\r\n--XyZ--\r\n";
        let fields = multipart(body).unwrap();
        assert_eq!(fields[0], ("magnet".to_owned(), b"magnet:?a".to_vec()));
        assert_eq!(fields[1], ("file".to_owned(), b"\x00\r\n\x01".to_vec()));
        assert!(multipart(b"magnet=1").is_none());
        assert!(multipart(b"--XyZ\r\nContent-Disposition: form-data; name=\"magnet\"\r\n\r\ncut").is_none());
    }

    #[test]
    fn the_infohash_is_over_the_info_dictionary() {
        let torrent = b"d8:announce3:url4:infod6:lengthi5e4:name1:aee";
        assert_eq!(info_dictionary(torrent), Some(&b"d6:lengthi5e4:name1:ae"[..]));
        assert_eq!(info_dictionary(b"d4:info99:xe"), None);
        assert_eq!(info_dictionary(b"<html>"), None);
    }
}
