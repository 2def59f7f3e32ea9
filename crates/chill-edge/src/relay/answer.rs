//! An origin's response, judged: is it the film, and which bytes of it?

use chill_core::ByteRange;
use chill_core::range::Span;
use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::Carries;
use super::ask::Ask;
use super::line::OriginBody;
use super::validator::Validator;

/// No content coding.
const IDENTITY: &[u8] = b"identity";
/// Longest content coding that is passed on, in bytes.
const LONGEST_CODING: usize = 64;

/// What an origin answered, as far as a viewer may see it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) shape: Shape,
    pub(super) validator: Validator,
    pub(super) content_type: Option<HeaderValue>,
    /// Only of what may be coded.
    pub(super) content_encoding: Option<HeaderValue>,
    /// The origin said that it takes byte ranges.
    pub(super) takes_ranges: bool,
    pub(super) body: OriginBody,
}

/// Which bytes the origin sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// 200; a film of unknown length only when the framing itself tells the end (chunked).
    Whole {
        /// Length of the whole film.
        length: Option<u64>,
    },
    /// 206.
    Part(Span),
    /// 416.
    Unsatisfiable {
        /// Length of the whole film.
        length: Option<u64>,
    },
    /// 304.
    NotModified,
    /// 412.
    PreconditionFailed,
}

/// Why a response is not the film.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// A status that means the link does not work.
    #[error("the origin answered {0}")]
    Status(u16),
    /// A page or a message instead of the film.
    #[error("the origin sent a page instead of the film")]
    Page,
    /// A coding nobody asked for.
    #[error("the origin sent the film encoded")]
    Encoded,
    /// Other bytes than those asked for.
    #[error("the origin sent another range")]
    OtherRange,
    /// Nothing tells a whole body from a broken one.
    #[error("the origin does not say how long the film is")]
    NoLength,
}

impl Answer {
    /// Judges the response to `ask`.
    pub(super) fn judge(ask: &Ask, response: Response<OriginBody>) -> Result<Self, Unfit> {
        let (head, body) = response.into_parts();
        if let (429 | 503, Some(later)) = (head.status.as_u16(), head.headers.get(RETRY_AFTER)) {
            ask.put_off(later);
        }
        let coding = head.headers.get(CONTENT_ENCODING).filter(|_| ask.carries == Carries::AnyFile);
        Ok(Self {
            shape: shape(head.status, &head.headers, ask)?,
            validator: Validator::read(&head.headers),
            content_type: head.headers.get(CONTENT_TYPE).cloned(),
            content_encoding: coding.filter(|coding| coding.len() <= LONGEST_CODING).cloned(),
            takes_ranges: head.headers.get(ACCEPT_RANGES).is_some_and(|unit| unit.as_bytes() == b"bytes"),
            body,
        })
    }
}

fn shape(status: StatusCode, headers: &HeaderMap, ask: &Ask) -> Result<Shape, Unfit> {
    match status.as_u16() {
        200 => {
            fits(headers, ask.carries)?;
            let length = content_length(headers);
            // Without a length or chunks the body of a GET ends where the connection does, broken or not.
            let ends = is_chunked(headers)? || length.is_some() || ask.method == Method::HEAD;
            if ends || ask.carries == Carries::AnyFile { Ok(Shape::Whole { length }) } else { Err(Unfit::NoLength) }
        }
        206 => {
            fits(headers, ask.carries)?;
            is_chunked(headers)?;
            part(headers, ask.range).map(Shape::Part).ok_or(Unfit::OtherRange)
        }
        304 => Ok(Shape::NotModified),
        412 => Ok(Shape::PreconditionFailed),
        416 if ask.range.is_some() => Ok(Shape::Unsatisfiable { length: unsatisfied_length(headers) }),
        other => Err(Unfit::Status(other)),
    }
}

/// Whether the bytes come in chunks. Any other transfer coding (RFC 9112 §7) would be counted as bytes of the film.
fn is_chunked(headers: &HeaderMap) -> Result<bool, Unfit> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(false),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(true),
        _ => Err(Unfit::Encoded),
    }
}

/// Whether these may be the bytes that are carried.
fn fits(headers: &HeaderMap, carries: Carries) -> Result<(), Unfit> {
    let coding = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes).unwrap_or(IDENTITY);
    if carries == Carries::AnyFile {
        // A coding that cannot be passed on would make other bytes of these.
        return if coding.len() <= LONGEST_CODING { Ok(()) } else { Err(Unfit::Encoded) };
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let page = ["text/html", "application/xhtml", "application/json", "application/problem"];
    if page.iter().any(|page| kind.starts_with(page)) {
        return Err(Unfit::Page);
    }
    if coding.eq_ignore_ascii_case(IDENTITY) { Ok(()) } else { Err(Unfit::Encoded) }
}

/// The span of a 206, when it is the one asked for, or the beginning of it (RFC 9110 §15.3.7 lets a server send less).
fn part(headers: &HeaderMap, asked: Option<ByteRange>) -> Option<Span> {
    let span = Span::parse(headers.get(CONTENT_RANGE)?.to_str().ok()?)?;
    let counted = content_length(headers).is_none_or(|length| length == span.count());
    let wanted = asked?.resolve(span.length)?;
    (counted && span.first == wanted.first && span.last <= wanted.last).then_some(span)
}

pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The `N` of `bytes */N`.
fn unsatisfied_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes */")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn judged(status: u16, headers: &[(&'static str, &'static str)], asked: Option<ByteRange>) -> Result<Shape, Unfit> {
        let headers = headers
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
            .collect::<HeaderMap>();
        let mut ask = Ask::read(&Method::GET, &HeaderMap::new());
        ask.range = asked;
        shape(StatusCode::from_u16(status).unwrap(), &headers, &ask)
    }

    #[test]
    fn only_the_film_passes_for_the_film() {
        let asked = Some(ByteRange::From { first: 2, last: Some(5) });
        let length = ("content-length", "4");
        let range = ("content-range", "bytes 2-5/10");
        let span = Span { first: 2, last: 5, length: 10 };
        for (status, headers, expected) in [
            (206, &[range, length][..], Ok(Shape::Part(span))),
            (206, &[range], Ok(Shape::Part(span))),
            (206, &[range, ("content-length", "5")], Err(Unfit::OtherRange)),
            (206, &[("content-range", "bytes 2-4/10")], Ok(Shape::Part(Span { first: 2, last: 4, length: 10 }))),
            (206, &[("content-range", "bytes 3-5/10")], Err(Unfit::OtherRange)),
            (206, &[("content-range", "bytes 2-6/10")], Err(Unfit::OtherRange)),
            (206, &[("content-range", "bytes 2-4/5")], Ok(Shape::Part(Span { first: 2, last: 4, length: 5 }))),
            (206, &[("content-type", "multipart/byteranges; boundary=x"), length], Err(Unfit::OtherRange)),
            (200, &[length], Ok(Shape::Whole { length: Some(4) })),
            (200, &[("transfer-encoding", "chunked")], Ok(Shape::Whole { length: None })),
            (200, &[("transfer-encoding", "Chunked")], Ok(Shape::Whole { length: None })),
            (200, &[("transfer-encoding", "gzip, chunked")], Err(Unfit::Encoded)),
            (200, &[("transfer-encoding", "identity"), length], Err(Unfit::Encoded)),
            (206, &[("transfer-encoding", "gzip"), range], Err(Unfit::Encoded)),
            (206, &[("transfer-encoding", "chunked"), range], Ok(Shape::Part(span))),
            (200, &[], Err(Unfit::NoLength)),
            (200, &[length, ("content-type", "Text/HTML; charset=utf-8")], Err(Unfit::Page)),
            (206, &[range, length, ("content-type", "application/json")], Err(Unfit::Page)),
            (200, &[length, ("content-encoding", "gzip")], Err(Unfit::Encoded)),
            (200, &[length, ("content-encoding", "Identity")], Ok(Shape::Whole { length: Some(4) })),
            (416, &[("content-range", "bytes */10")], Ok(Shape::Unsatisfiable { length: Some(10) })),
            (416, &[], Ok(Shape::Unsatisfiable { length: None })),
            (304, &[], Ok(Shape::NotModified)),
            (412, &[], Ok(Shape::PreconditionFailed)),
            (204, &[], Err(Unfit::Status(204))),
            (403, &[], Err(Unfit::Status(403))),
        ] {
            assert_eq!(judged(status, headers, asked), expected, "{status} {headers:?}");
        }
    }

    #[test]
    fn a_part_nobody_asked_for_is_not_taken() {
        let range = [("content-range", "bytes 0-3/4"), ("content-length", "4")];
        assert_eq!(judged(206, &range, None), Err(Unfit::OtherRange));
        assert_eq!(judged(416, &range, None), Err(Unfit::Status(416)));
    }
}
