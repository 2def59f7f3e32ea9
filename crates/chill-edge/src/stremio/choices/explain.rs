//! The one entry of a list whose link has a choice that means nothing.

use axum::response::Response;
use chill_core::Chance;
use http::HeaderValue;
use serde_json::json;

use super::Mistake;
use crate::refusal::{REFUSAL, SUPPORT};
use crate::stremio::private_json;

/// The refusal's code.
const CODE: &str = "settings_invalid";

/// Says what is wrong with which choice and where; opening it leads to the page where it is put right. `page` is the
/// link's configure page.
pub(crate) fn explain(mistakes: &[Mistake], page: &str, chance: &Chance) -> Response {
    let bytes = chance.bytes::<5>().unwrap_or_default();
    let support = data_encoding::BASE32_NOPAD.encode(&bytes);
    let fields: Vec<&str> = mistakes.iter().map(|mistake| mistake.field.key()).collect();
    metrics::counter!("chillproxy_refusals_total", "code" => CODE).increment(1);
    tracing::info!(support, code = CODE, fields = fields.join(","), "a viewer was refused");
    let said: Vec<String> =
        mistakes.iter().map(|mistake| format!("In {}: {}", mistake.field.words(), mistake.message)).collect();
    let entry = json!({
        "externalUrl": page,
        "name": "⚠️ Chillproxy\nYour link has a wrong setting",
        "description": format!(
            "{}\nOpen this to put it right, then install the new link.\nSupport id: {support}",
            said.join("\n")
        ),
    });
    let mut response = private_json(json!({ "streams": [entry] }).to_string());
    let headers = response.headers_mut();
    headers.insert(REFUSAL, HeaderValue::from_static(CODE));
    if let Ok(support) = HeaderValue::try_from(support) {
        headers.insert(SUPPORT, support);
    }
    response
}
