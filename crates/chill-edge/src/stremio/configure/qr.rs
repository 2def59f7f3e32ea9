//! A QR code of an install link, as SVG that stands in the page itself.

use qrcode::{Color, EcLevel, QrCode};

use super::html::Html;

/// Light modules around the code (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

/// The code; none when the text is too long for one.
pub(super) fn svg(text: &str) -> Option<Html> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (colors, width) = (code.to_colors(), code.width());
    let side = (width + 2 * QUIET).to_string();
    let mut html = Html::default();
    html.raw(
        "<svg class=\"qr\" role=\"img\" aria-label=\"QR code of the install link\" shape-rendering=\"crispEdges\"",
    )
    .attribute("viewBox", &format!("0 0 {side} {side}"))
    .raw("><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><path fill=\"#000\"")
    .attribute("d", &path(&colors, width))
    .raw("/></svg>");
    Some(html)
}

/// One rectangle for each run of dark modules.
fn path(colors: &[Color], width: usize) -> String {
    let mut path = String::new();
    for (y, row) in colors.chunks(width.max(1)).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                let length = run.len();
                path.push_str(&format!("M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET));
            }
            x += run.len();
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finder_pattern_is_where_readers_look() {
        let svg = svg("https://films.example/stremio/torz/abc/manifest.json").unwrap().finish();
        assert!(svg.contains("d=\"M4 4h7v1h-7z"), "{svg}");
        assert!(svg.contains("viewBox=\"0 0 37 37\"") || svg.contains("viewBox=\"0 0 41 41\""), "{svg}");
    }

    #[test]
    fn too_long_is_none() {
        assert!(svg(&"x".repeat(4_000)).is_none());
        assert!(svg(&"x".repeat(2_900)).is_some());
    }
}
