//! A posted form, read once: bounded, of the right type, from our own page.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::request::Parts;
use http::{StatusCode, header};
use url::form_urlencoded;

use crate::error::ApiError;

/// Most bytes of a form.
pub(super) const LONGEST: usize = 16 * 1024;
/// Most fields of a form; the page has fewer.
const MOST_FIELDS: usize = 100;
/// A slower sender is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Names and values, in the form's order.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a request's body.
    ///
    /// # Errors
    /// 403 from a page of another site, 415, 413, 408, 400.
    pub(super) async fn read(parts: &Parts, body: Body) -> Result<Self, ApiError> {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        if header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
            return Err(error(
                StatusCode::FORBIDDEN,
                "FORBIDDEN",
                "this form is answered on this server's own page only",
            ));
        }
        let media_type = header(header::CONTENT_TYPE.as_str()).and_then(|value| value.split(';').next());
        if !media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
            let message = "the form is sent as application/x-www-form-urlencoded";
            return Err(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message));
        }
        let read = tokio::time::timeout(PATIENCE, to_bytes(body, LONGEST)).await;
        let read =
            read.map_err(|_| error(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "the form came too slowly"))?;
        let bytes = read.map_err(|_| {
            let message = format!("the form has more than {LONGEST} bytes, or broke off");
            error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", &message)
        })?;
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(&bytes) {
            if pairs.len() >= MOST_FIELDS {
                return Err(ApiError::bad_request(format!("the form has more than {MOST_FIELDS} fields")));
            }
            // Browsers send line breaks as CR LF, whatever was typed.
            pairs.push((name.into_owned(), value.replace("\r\n", "\n")));
        }
        Ok(Self(pairs))
    }

    /// A field's value without blanks around it; empty when it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }
}

fn error(status: StatusCode, code: &'static str, message: &str) -> ApiError {
    ApiError { status, code, message: message.to_owned(), retry_after: None }
}
