//! The templates that are used when a viewer has none of his own.

/// How and where it plays, the addon, the resolution.
pub const NAME: &str = r#"
{%- if Store.IsProxied %}✨ {% endif %}{% if Store.Code %}{{ "⚡️" if Store.IsCached else "⏳" }} [{{ Store.Code }}]{% endif %}
{%- if IsPrivate %} 🔑{% endif %}
{{ Addon.Name }}
{{ Resolution }}"#;

/// A line each for picture, sound, size, languages, subtitles, origin and file.
pub const DESCRIPTION: &str = r#"
{%- if Quality %}💿 {{ Quality }} {% endif %}{% if Codec %}🎞️ {{ Codec }}{% endif %}
{% if HDR %}📺 {{ str_join(HDR, " ") }} {% endif %}
{%- if Audio or Channels %}🎧 {{ str_join(Audio, ", ") }}{% if Audio and Channels %} | {% endif %}{{ str_join(Channels, ", ") }}{% endif %}
{% if Size %}{% if File.Size and File.Size != Size %}💾 {{ File.Size }} {% endif %}📦 {{ Size }}{% endif %}
{%- if BitRate > 0 %} 〽️ {{ rate_text(BitRate) }}{% endif %}{% if Seeders > 0 %} 👤 {{ Seeders }}{% endif %}
{% if Languages %}{{ "🎙️" if Subtitles else "🌐" }} {{ lang_join(Languages, " ", "emoji") }}{% endif %}
{% if Subtitles %}💬 {{ lang_join(Subtitles, " ", "emoji") }}{% endif %}
{% if Group %}⚙️ {{ Group }} {% endif %}{% if Indexer.Name %}🔍 {{ Indexer.Name }}{% elif Site %}🔗 {{ Site }}{% endif %}
{% if File.Name %}📄 {{ File.Name }}{% else %}📁 {{ TTitle }}{% endif %}"#;
