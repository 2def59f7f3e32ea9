//! Whether two titles mean the same work.

/// Longest title that is compared, in characters; what lies beyond is ignored.
const LONGEST: usize = 200;

/// A title for comparison: lower-case, without accents and quotes, everything else that is no letter or digit made one space.
#[must_use]
pub fn normalise_title(title: &str) -> String {
    let mut out = String::with_capacity(title.len().min(4 * LONGEST));
    let mut gap = false;
    for c in title.chars().take(LONGEST) {
        match c {
            '\'' | '"' | '’' | '‘' | '`' | '´' | '“' | '”' | '\u{300}'..='\u{36f}' => {}
            '&' => push_word(&mut out, &mut gap, "and"),
            c if c.is_alphanumeric() => {
                if gap && !out.is_empty() {
                    out.push(' ');
                }
                gap = false;
                push_plain(&mut out, c);
            }
            _ => gap = true,
        }
    }
    out
}

fn push_word(out: &mut String, gap: &mut bool, word: &str) {
    if !out.is_empty() {
        out.push(' ');
    }
    out.push_str(word);
    *gap = true;
}

/// Appends the letter in lower case and without its accent.
fn push_plain(out: &mut String, c: char) {
    if c.is_ascii() {
        out.push(c.to_ascii_lowercase());
        return;
    }
    for lower in c.to_lowercase() {
        match lower {
            'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ạ' | 'ả' | 'ấ'..='ặ' => out.push('a'),
            'æ' => out.push_str("ae"),
            'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => out.push('c'),
            'ď' | 'đ' | 'ð' => out.push('d'),
            'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ẹ' | 'ẻ' | 'ẽ' | 'ế'..='ệ' => out.push('e'),
            'ĝ' | 'ğ' | 'ġ' | 'ģ' => out.push('g'),
            'ĥ' | 'ħ' => out.push('h'),
            'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ỉ' | 'ị' => out.push('i'),
            'ĵ' => out.push('j'),
            'ķ' => out.push('k'),
            'ĺ' | 'ļ' | 'ľ' | 'ł' => out.push('l'),
            'ñ' | 'ń' | 'ņ' | 'ň' => out.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'ơ' | 'ọ' | 'ỏ' | 'ố'..='ợ' => out.push('o'),
            'œ' => out.push_str("oe"),
            'ŕ' | 'ŗ' | 'ř' => out.push('r'),
            'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => out.push('s'),
            'ß' => out.push_str("ss"),
            'ţ' | 'ť' | 'ŧ' | 'ț' => out.push('t'),
            'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ư' | 'ụ' | 'ủ' | 'ứ'..='ự' => {
                out.push('u');
            }
            'ŵ' => out.push('w'),
            'ý' | 'ÿ' | 'ŷ' | 'ỳ' | 'ỵ' | 'ỷ' | 'ỹ' => out.push('y'),
            'ź' | 'ż' | 'ž' => out.push('z'),
            'ё' => out.push('е'),
            'й' => out.push('и'),
            '\u{300}'..='\u{36f}' => {}
            other => out.push(other),
        }
    }
}

/// Whether two titles name the same work: equal once normalised and without articles, or apart by a few letters of many.
///
/// Numbers must agree exactly, so that a sequel never passes for the first part.
#[must_use]
pub fn titles_match(left: &str, right: &str) -> bool {
    let (left, right) = (normalise_title(left), normalise_title(right));
    let (left, right) = (without_articles(&left), without_articles(&right));
    if left == right {
        return !left.is_empty();
    }
    if !numbers(&left).eq(numbers(&right)) {
        return false;
    }
    let (left, right) = (solid(&left), solid(&right));
    let shorter = left.len().min(right.len());
    shorter > 0 && distance_within(&left, &right, shorter / 8)
}

/// The words of a normalised title but its articles, Roman numerals as digits; a title that is nothing but articles stays.
fn without_articles(title: &str) -> String {
    let articles = |word: &&str| !matches!(*word, "the" | "a" | "an" | "and");
    let kept: Vec<&str> = title.split(' ').filter(articles).map(arabic).collect();
    if kept.is_empty() { title.to_owned() } else { kept.join(" ") }
}

/// A Roman numeral above one as digits; `i`, `v` and `x` are left alone because they are words too.
fn arabic(word: &str) -> &str {
    match word {
        "ii" => "2",
        "iii" => "3",
        "iv" => "4",
        "vi" => "6",
        "vii" => "7",
        "viii" => "8",
        "ix" => "9",
        word => word,
    }
}

/// Words that tell parts apart.
fn numbers(title: &str) -> impl Iterator<Item = &str> {
    title.split(' ').filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

/// The letters of a title without its spaces.
fn solid(title: &str) -> Vec<char> {
    title.chars().filter(|c| *c != ' ').take(LONGEST).collect()
}

/// Whether the edit distance is at most `limit`; only a band of that width is computed.
fn distance_within(left: &[char], right: &[char], limit: usize) -> bool {
    if left.len().abs_diff(right.len()) > limit {
        return false;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = i;
        let mut least = i + 1;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        let mut previous = i + 1;
        for (slot, b) in row.iter_mut().skip(1).zip(right) {
            let value = if a == b { diagonal } else { 1 + diagonal.min(*slot).min(previous) };
            diagonal = *slot;
            *slot = value;
            previous = value;
            least = least.min(value);
        }
        if least > limit {
            return false;
        }
    }
    row.last().is_some_and(|distance| *distance <= limit)
}
