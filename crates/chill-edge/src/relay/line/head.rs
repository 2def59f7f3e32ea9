//! What is said first: a request's head, and the head of its answer (RFC 9112 §2 to §6).

use std::io;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, Version, response};

use super::framing::{Chunks, Framing};

/// Longest head of an answer, in bytes.
const LONGEST: usize = 64 * 1024;
/// Most fields in it.
const FIELDS: usize = 100;

/// The head of an answer.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) parts: response::Parts,
    pub(super) framing: Framing,
    /// Whether the connection may carry another request afterwards.
    pub(super) keep: bool,
}

/// A request without a body. None when the URL names no host.
pub(super) fn request(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Vec<u8>> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut text = Vec::with_capacity(512);
    for part in [method.as_str(), " ", target, " HTTP/1.1\r\n"] {
        text.extend_from_slice(part.as_bytes());
    }
    if !headers.contains_key(HOST) {
        field(&mut text, HOST.as_str(), host(uri)?.as_bytes());
    }
    for (name, value) in headers {
        field(&mut text, name.as_str(), value.as_bytes());
    }
    text.extend_from_slice(b"\r\n");
    Some(text)
}

fn field(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        text.extend_from_slice(part);
    }
}

/// The host, with the port where it is not the scheme's own.
fn host(uri: &Uri) -> Option<String> {
    let host = uri.host()?;
    let own = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    Some(match uri.port_u16().filter(|port| *port != own) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Whether a head may end behind its byte `from`, or is too long: parsing it after each byte of a slow origin would take long.
pub(super) fn may_end(bytes: &[u8], from: usize) -> bool {
    let new = bytes.get(from..).unwrap_or_default();
    bytes.len() >= LONGEST || new.windows(2).any(|two| two == b"\n\n") || new.windows(3).any(|three| three == b"\n\r\n")
}

/// The head at the beginning of what was read, and how long it is; none when it is not all there.
///
/// # Errors
/// When it is none, or too long, or leaves open where the body ends.
pub(super) fn read(bytes: &[u8], method: &Method) -> io::Result<Option<(Head, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut answer = httparse::Response::new(&mut fields);
    let length = match answer.parse(bytes).map_err(|_| not_http())? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial if bytes.len() >= LONGEST => return Err(not_http()),
        httparse::Status::Partial => return Ok(None),
    };
    let status = answer.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or_else(not_http)?;
    let version = if answer.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let mut headers = HeaderMap::with_capacity(answer.headers.len());
    for field in answer.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| not_http())?;
        headers.append(name, HeaderValue::from_bytes(field.value).map_err(|_| not_http())?);
    }
    let framing = framing(status, &mut headers, method).ok_or_else(not_http)?;
    // After both framings nobody knows where the next answer begins (RFC 9112 §6.3).
    let keep = framing.1 && keeps(version, &headers);
    let mut parts = Response::new(()).into_parts().0;
    (parts.status, parts.version, parts.headers) = (status, version, headers);
    Ok(Some((Head { parts, framing: framing.0, keep }, length)))
}

fn not_http() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// How the body ends, and whether that is beyond doubt.
fn framing(status: StatusCode, headers: &mut HeaderMap, method: &Method) -> Option<(Framing, bool)> {
    let empty = status.is_informational() || matches!(status.as_u16(), 204 | 304) || method == Method::HEAD;
    if empty {
        return Some((Framing::Length(0), true));
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        let both = headers.remove(CONTENT_LENGTH).is_some();
        let codings = headers.get_all(TRANSFER_ENCODING);
        let last = codings.iter().next_back()?.to_str().ok()?.rsplit(',').next()?.trim();
        return Some(match last.eq_ignore_ascii_case("chunked") {
            true => (Framing::Chunks(Chunks::default()), !both),
            false => (Framing::UntilClose, false),
        });
    }
    match length(headers)? {
        Some(length) => Some((Framing::Length(length), true)),
        None => Some((Framing::UntilClose, false)),
    }
}

/// The content's length, when told. The outer none: told in two ways, or not in digits.
fn length(headers: &mut HeaderMap) -> Option<Option<u64>> {
    let mut told: Option<u64> = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for one in value.to_str().ok()?.split(',') {
            let one = one.trim();
            let digits = !one.is_empty() && one.bytes().all(|byte| byte.is_ascii_digit());
            let one = one.parse().ok().filter(|_| digits)?;
            if told.is_some_and(|told| told != one) {
                return None;
            }
            told = Some(one);
        }
    }
    if let Some(told) = told {
        headers.insert(CONTENT_LENGTH, told.into());
    }
    Some(told)
}

fn keeps(version: Version, headers: &HeaderMap) -> bool {
    let says = |word: &str| {
        let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|option| option.trim().eq_ignore_ascii_case(word))
    };
    if version == Version::HTTP_10 { says("keep-alive") } else { !says("close") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, method: &Method) -> io::Result<Option<(Head, usize)>> {
        super::read(text.replace('\n', "\r\n").as_bytes(), method)
    }

    #[test]
    fn a_request_names_its_host_as_its_url_does() {
        for (url, line, host) in [
            ("http://a.example/f?x=%20y", "GET /f?x=%20y HTTP/1.1", "a.example"),
            ("http://a.example:80", "GET / HTTP/1.1", "a.example"),
            ("https://a.example:80/f", "GET /f HTTP/1.1", "a.example:80"),
            ("https://user:secret@[2001:db8::1]:8443/f", "GET /f HTTP/1.1", "[2001:db8::1]:8443"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("range", HeaderValue::from_static("bytes=0-"));
            let text = request(&Method::GET, &url.parse().unwrap(), &headers).unwrap();
            let text = String::from_utf8(text).unwrap();
            assert_eq!(text, format!("{line}\r\nhost: {host}\r\nrange: bytes=0-\r\n\r\n"));
        }
    }

    #[test]
    fn the_body_ends_where_the_head_says() {
        let chunks = || Framing::Chunks(Chunks::default());
        for (text, framing, keep) in [
            ("HTTP/1.1 200 OK\nContent-Length: 5\n\n", Framing::Length(5), true),
            ("HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 5, 5\n\n", Framing::Length(5), true),
            ("HTTP/1.1 200 OK\nContent-Length: 5\nConnection: x, Close\n\n", Framing::Length(5), false),
            ("HTTP/1.0 200 OK\nContent-Length: 5\n\n", Framing::Length(5), false),
            ("HTTP/1.0 200 OK\nContent-Length: 5\nConnection: keep-alive\n\n", Framing::Length(5), true),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", chunks(), true),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: gzip, Chunked\nContent-Length: 5\n\n", chunks(), false),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: gzip\n\n", Framing::UntilClose, false),
            ("HTTP/1.1 200 OK\n\n", Framing::UntilClose, false),
            ("HTTP/1.1 304 Not Modified\nContent-Length: 5\n\n", Framing::Length(0), true),
            ("HTTP/1.1 204 No Content\n\n", Framing::Length(0), true),
        ] {
            let (head, length) = read(text, &Method::GET).unwrap().unwrap();
            assert_eq!((head.framing, head.keep), (framing, keep), "{text}");
            assert_eq!(length, text.replace('\n', "\r\n").len());
            assert!(!(head.parts.headers.contains_key(CONTENT_LENGTH) && text.contains("chunked\nContent")));
        }
        let head = read("HTTP/1.1 200 OK\nContent-Length: 5\n\n", &Method::HEAD).unwrap().unwrap().0;
        assert_eq!((head.framing, head.keep), (Framing::Length(0), true));
        assert_eq!(head.parts.headers[CONTENT_LENGTH], "5", "the length of a GET's body is told");
    }

    #[test]
    fn a_head_that_is_none_or_unclear_is_refused() {
        let long = format!("HTTP/1.1 200 OK\nX: {}", "x".repeat(LONGEST));
        for text in [
            "SSH-2.0-x\n",
            "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6\n\n",
            "HTTP/1.1 200 OK\nContent-Length: +5\n\n",
            "HTTP/1.1 200 OK\nContent-Length: 18446744073709551616\n\n",
            "HTTP/1.1 200 OK\nContent-Length:\n\n",
            "HTTP/1.1 20 OK\n\n",
            "HTTP/1.1 200 OK\nNo colon\n\n",
            "HTTP/1.1 200 OK\nContent-Length : 5\n\n",
            &long,
        ] {
            assert!(read(text, &Method::GET).is_err(), "{:?}", &text[..text.len().min(60)]);
        }
        assert!(read("HTTP/1.1 200 OK\nContent-Len", &Method::GET).unwrap().is_none());
    }
}
