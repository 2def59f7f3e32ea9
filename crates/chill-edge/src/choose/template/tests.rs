use std::sync::LazyLock;
use std::time::{Duration, Instant};

use super::{LONGEST, LONGEST_DESCRIPTION, LONGEST_NAME, Part, Presentation, Template, default, tidy};
use crate::choose::{AtStore, Candidate, ChosenFile, trial};
use chill_core::StoreCode;
use chill_release::{Language, Release, Set, parse};
use proptest::prelude::*;

fn render(part: Part, source: &str, candidate: &Candidate<'_>) -> String {
    Template::compile(part, source).unwrap_or_else(|error| panic!("{source}: {error}")).render(candidate).unwrap()
}

#[test]
fn the_default_is_read_at_a_glance() {
    let release = trial::film();
    let shown = Presentation::default().show(&trial::candidate(&release));
    assert_eq!(shown.name, "✨ ⚡️ [TB]\nTorz\n4k");
    let expected = "💿 WEB-DL 🎞️ HEVC\n\
                    📺 DV HDR10+ 🎧 Atmos, DDP | 5.1\n\
                    💾 13 GB 📦 14 GB 👤 12\n\
                    🌐 🇬🇧 🇨🇿\n\
                    ⚙️ GRP 🔍 my indexer\n\
                    📄 Quiet.Hills.2019.2160p.WEB-DL.mkv";
    assert_eq!(shown.description, expected);
}

#[test]
fn what_is_missing_leaves_no_gap() {
    let nothing = Release::default();
    let shown = Presentation::default().show(&trial::bare(&nothing));
    assert_eq!((shown.name.as_str(), shown.description.as_str()), ("Torz", "📁 Quiet Hills"));
}

#[test]
fn subtitles_rates_sites_and_private_torrents_have_their_marks() {
    let mut release = trial::film();
    release.site = Some("example.org".to_owned());
    let subtitles = [Language::German, Language::French].into_iter().collect();
    let store = AtStore { code: StoreCode::RealDebrid, cached: false, proxied: false };
    let shown = Presentation::default().show(&Candidate {
        private: true,
        indexer: "",
        bit_rate: Some(52_000_000),
        subtitles,
        store: Some(store),
        ..trial::candidate(&release)
    });
    assert_eq!(shown.name, "⏳ [RD] 🔑\nTorz\n4k");
    for part in ["📦 14 GB 〽️ 6.5 MB/s 👤 12", "🎙️ 🇬🇧 🇨🇿\n💬 🇫🇷 🇩🇪\n", "⚙️ GRP 🔗 example.org\n"]
    {
        assert!(shown.description.contains(part), "{part} in {}", shown.description);
    }
}

/// Both defaults through the engine.
static ENGINES: LazyLock<[Template; 2]> = LazyLock::new(|| [by_engine(Part::Name), by_engine(Part::Description)]);

/// A default that [`Template::compile`] does not recognise as one, and so does not replace by plain Rust.
fn by_engine(part: Part) -> Template {
    let source = match part {
        Part::Name => default::NAME,
        Part::Description => default::DESCRIPTION,
    };
    let template = Template::compile(part, &format!("{source}\n")).unwrap();
    assert!(template.engine.is_some());
    template
}

fn assert_same(candidate: &Candidate<'_>) {
    let plain = Presentation::default().show(candidate);
    assert_eq!(ENGINES[0].render(candidate).unwrap(), plain.name);
    assert_eq!(ENGINES[1].render(candidate).unwrap(), plain.description);
}

#[test]
fn plain_rust_and_engine_agree_on_names_of_all_kinds() {
    let names = [
        "Quiet.Hills.2019.MULTi.2160p.WEB-DL.DV.HDR10+.DDP5.1.Atmos.H.265-GRP",
        "Harbour.Lights.S01E02.1080p.BluRay.REMUX.AVC.DTS-HD.MA.5.1-GRP",
        "[Group] Cartoon - 12 (720p) [ABCD1234].mkv",
        "www.example.org - Film 2001 DVDRip XviD AC3 EAC3 2.0 dual audio",
        "Film.2001.CAM.700MB",
        "just words",
        "Film 5.1",
        "Film AAC",
        "",
    ];
    for name in names {
        let release = parse(name);
        for candidate in [trial::candidate(&release), trial::bare(&release), trial::episode(&release)] {
            assert_same(&candidate);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn plain_rust_and_engine_agree_on_everything(
        name in "[A-Za-z.]{1,12}(\\.2160p|\\.720p)?(\\.WEB-DL|\\.CAM)?(\\.x265)?(\\.DV|\\.HDR)?(\\.AAC|\\.Atmos)?(\\.5\\.1)?(-[A-Z]{3})?",
        title in "\\PC{0,30}",
        site in prop::option::of("[a-z {}%]{0,8}"),
        indexer in "[a-z {}%]{0,6}",
        sizes in prop::array::uniform2(prop::option::of(0_u64..1 << 40)),
        numbers in (prop::option::of(0_u32..99), prop::option::of(0_u64..99_000_000)),
        flags in prop::array::uniform5(any::<bool>()),
    ) {
            let mut release = parse(&name);
        release.site = site;
        let store = AtStore { code: StoreCode::Premiumize, cached: flags[0], proxied: flags[1] };
        let language = |flag: bool| if flag { [Language::Korean].into_iter().collect() } else { Set::EMPTY };
        release.languages = language(flags[2]);
        assert_same(&Candidate {
            title: &title,
            indexer: &indexer,
            size: sizes[0],
            file: ChosenFile { index: None, name: Some(title.as_str()).filter(|_| flags[3]), size: sizes[1] },
            seeders: numbers.0,
            bit_rate: numbers.1,
            private: flags[4],
            store: Some(store).filter(|_| flags[2] || flags[3]),
            subtitles: language(flags[4]),
            ..trial::bare(&release)
        });
    }

    #[test]
    fn no_text_panics(source in "(\\PC|\n|\\{\\{|\\}\\}|\\{%|%\\}| Store\\.Code | if | for x in HDR | endfor ){0,40}") {
        let _ = Template::compile(Part::Description, &source);
    }
}

#[test]
fn templates_of_viewers() {
    let release = trial::film();
    let candidate = trial::candidate(&release);
    let cases = [
        ("{{ Resolution }} {{ resolution }}", "4k 4k"),
        ("{{ Store.Code }} {{ store.code }} {{ store.name }}", "TB TB TorBox"),
        ("{{ Result.Title }} {{ result.file.idx }} {{ Result.Store.IsCached }}", "Quiet Hills 0 True"),
        ("{{ three_d }}{{ t_title | length > 5 }}", "True"),
        ("{% if is_private %}a{% else %}b{% endif %}", "b"),
        ("{% for language in Languages %}<{{ language }}>{% endfor %}", "<en><cs>"),
        ("{{ HDR | join('+') }} {{ HDR | str_join('/') }}", "DV+HDR10+ DV/HDR10+"),
        ("{{ lang_join(languages, ' ', 'text') }}", "English Czech"),
        ("{{ Languages | lang_join(' ', 'iso') }}", "ENG CES"),
        ("{{ int_to_str(Seeders) ~ ' peers' }}", "12 peers"),
        ("{{ size_text(1536) }} {{ 8000 | rate_text }}", "1.5 KB 1 KB/s"),
        ("{{ Quality | lower }} {{ Group | default('-') }}", "web-dl GRP"),
        ("{{ Season }} {{ Category }} {{ kind }}", "-1 movie torz"),
        ("<b>{{ '<' ~ addon.name }}</b>", "<b><Torz</b>"),
        ("  a  \n\n\n   b\n \n", "a\nb"),
    ];
    for (source, text) in cases {
        assert_eq!(render(Part::Description, source, &candidate), text, "{source}");
    }
}

#[test]
fn errors_have_a_line_and_a_sentence() {
    let cases = [
        ("a\nb {{ Foo }}", 2, "“Foo” is unknown"),
        ("{{ Store.Foo }}", 1, "“Store.Foo” is unknown"),
        ("\n\n{{ isPrivate }}", 3, "write IsPrivate"),
        ("{{ Store.cached }}", 1, "is unknown"),
        ("{{ Store.isCached }}", 1, "write Store.IsCached"),
        ("a\n{% if Title %}", 2, "syntax error"),
        ("{{ Title | nonsense }}", 1, "nonsense"),
        ("a\n{{ nonsense(1) }}", 2, "unknown"),
        ("{{ str_join(Seeders, ' ') }}", 1, "not iterable"),
        ("{{ Title + 1 }}", 1, "invalid operation"),
        ("\n{% macro a() %}{% endmacro %}", 2, "“macro” is not taken"),
        ("{% include 'a' %}", 1, "“include” is not taken"),
        ("{% for a in 'a' %}{% endfor %}", 1, "a loop goes over one list"),
    ];
    for (source, line, says) in cases {
        let error = Template::compile(Part::Name, source).expect_err(source);
        assert!(error.message.contains(says) && error.line == line, "{source}: {error}");
        assert!(error.to_string().starts_with("name template, line "), "{error}");
    }
    let error = Presentation::compile("{{ Title }}", "{{").unwrap_err();
    assert_eq!(error.part, Part::Description);
}

#[test]
fn empty_templates_and_the_written_defaults_are_the_default() {
    for (name, description) in [("", " \n"), (default::NAME, default::DESCRIPTION)] {
        let presentation = Presentation::compile(name, description).unwrap();
        assert!(presentation.name.engine.is_none() && presentation.description.engine.is_none());
    }
}

#[test]
fn results_are_bounded() {
    let release = trial::film();
    let long = "ž ".repeat(5_000);
    let candidate = Candidate { title: &long, file: ChosenFile::default(), ..trial::candidate(&release) };
    let shown = Presentation::compile("{{ TTitle }}", "").unwrap().show(&candidate);
    assert_eq!(shown.name.chars().count(), LONGEST_NAME - 1, "cut behind a letter");
    assert!(shown.description.chars().count() <= LONGEST_DESCRIPTION);
    assert!(Template::compile(Part::Name, &"a".repeat(LONGEST + 1)).is_err());
    assert_eq!(tidy("\r\n a \r\n\t\r\nb\n", Part::Name), "a\nb");
}

#[test]
fn a_template_that_fails_on_a_stream_gives_way() {
    let mut release = trial::film();
    let presentation =
        Presentation::compile("{{ Title }}", "{% if 9 in Seasons %}{{ Title + 1 }}{% endif %}ok").unwrap();
    assert_eq!(presentation.show(&trial::candidate(&release)).description, "ok");
    release.seasons = vec![9];
    let shown = presentation.show(&trial::candidate(&release));
    assert_eq!(shown.name, "Quiet Hills");
    assert_eq!(shown.description, Presentation::default().show(&trial::candidate(&release)).description);
    assert!(presentation.description.render(&trial::candidate(&release)).is_err());
}

#[test]
fn hostile_templates_end_soon() {
    let nested = |open: &str, inside: &str, close: &str, times: usize| {
        format!("{{{{ {}{inside}{} }}}}", open.repeat(times), close.repeat(times))
    };
    let chain = |link: &str| format!("{{{{ Title{} }}}}", link.repeat((LONGEST - 16) / link.len()));
    let cases = [
        "{{ 'a' * 1000000000 }}".to_owned(),
        "{{ ([1] * 100000000) | join('aaaaaaaa') }}".to_owned(),
        "{{ Title | replace('', Title) | replace('', Title) | replace('', Title) | replace('', Title) }}".to_owned(),
        "{{ '%1000000000d' | format(1) }}".to_owned(),
        "{% for a in Title %}{% for b in Title %}{% for c in Title %}x{% endfor %}{% endfor %}{% endfor %}".to_owned(),
        nested("(", "1", ")", 2_000),
        nested("[", "1", "]", 2_000),
        nested("[1", "", "]", 1_300),
        nested("x(1+1*1**-Title[", "", "])", 140),
        nested("{1:", "1", "}", 1_000),
        nested("-", "1", "", 4_000),
        nested("- ", "Title", "", 2_000),
        nested("not ", "Title", "", 1_000),
        chain("~9"),
        chain("~Title"),
        chain("+Seeders"),
        chain("**Seeders"),
        chain(".a"),
        chain("[0]"),
        chain("()"),
        chain("|upper"),
        chain(" is odd"),
        chain(" and 1"),
        chain(" if 1 else 1"),
        "{% if a %}".repeat(400),
        "{% if 1 %}".repeat(140) + &"{% endif %}".repeat(140),
        "{% for a in HDR %}".repeat(120) + &"{% endfor %}".repeat(120),
    ];
    for source in &cases {
        let start = Instant::now();
        // Whether it is refused or cut short does not matter.
        if let Ok(template) = Template::compile(Part::Description, source) {
            let release = trial::film();
            assert!(template.render(&trial::candidate(&release)).is_ok_and(|text| text.len() < 100_000));
        }
        assert!(start.elapsed() < Duration::from_secs(2), "{source}: {:?}", start.elapsed());
    }
    for refused in cases.iter().take(6) {
        assert!(Template::compile(Part::Description, refused).is_err(), "{refused}");
    }
}

#[test]
fn what_carries_values_on_is_refused() {
    let cases = [
        "{% set x = 'aaaa' %}",
        "{%- set x %}a{% endset %}",
        "{%+ with x = 1 %}{% endwith %}",
        "{% for x in [Title ~ Title] %}{% endfor %}",
        "{% for x in HDR recursive %}{{ loop([[x]]) }}{% endfor %}",
        "{% for x in HDR if x %}{% endfor %}",
        "{% for x in HDR | batch(9) %}{% endfor %}",
        "{% filter upper %}a{% endfilter %}",
        "{# {% set x = 1 %} #}",
        "{{ '{% set x = 1 %}' }}",
        "{% raw %}{% endraw %}",
        "{{ namespace(a=1) }}",
        "{{ range(9) }}",
        "{{ dict(a=1) }}",
        "{%",
    ];
    for source in cases {
        assert!(Template::compile(Part::Description, source).is_err(), "{source}");
    }
}
