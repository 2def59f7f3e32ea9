//! The language itself, without a stream.

use super::check_constants;

#[test]
fn operators_bind_as_in_expr() {
    check_constants(&[
        ("1 + 2 * 3 == 7", true),
        ("(1 + 2) * 3 == 9", true),
        ("10 - 2 - 3 == 5", true),
        ("2 ** 3 ** 2 == 512", true),
        ("2 ^ 3 == 8", true),
        ("-2 ** 2 == -4", true),
        ("7 / 2 == 3.5", true),
        ("7 % 4 == 3 && -7 % 4 == -3", true),
        ("1 - -1 == 2", true),
        ("+5 == 5", true),
        ("true || false && false", true),
        ("(true or false) and false", false),
        ("not false and true", true),
        ("!true == false", true),
        ("1 < 2 == true", true),
        ("1 < 2 < 3", true),
        ("1 < 3 < 2", false),
        ("3 > 2 > 1 > 0", true),
        ("1 <= 1 < 2 <= 1", false),
        ("1 in 1..3 && 4 not in 1..3", true),
        ("1 + 1..2 + 2 == [2, 3, 4]", true),
        ("nil ?? 1 == 1", true),
        ("2 * nil ?? 3 == 6", true),
        ("true ? false : true", false),
        ("false ? true : true ? false : true", false),
        ("false ?: true", true),
        ("true ?: false", true),
        ("1 == 1.0 && 0 == -0.0", true),
        (r#"1 == nil || "" == nil"#, false),
        (r#""a" + "b" == "ab""#, true),
        (r#""a" < "b" && "B" < "a""#, true),
        (r#""abc" contains "b" and "abc" not contains "d""#, true),
        (
            r#""abc" startsWith "a" and "abc" not startsWith "b" and "abc" endsWith "c" and "abc" not endsWith "b""#,
            true,
        ),
        (r#""abc" not matches "^b" and not ("abc" matches "b$")"#, true),
        ("1 != 2 and 2 >= 2 and 2 <= 2 and not (2 > 2) and not (2 < 2)", true),
        ("3 - 1 + 2 == 4 and 12 / 4 / 3 == 1 and -(2 + 1) == -3", true),
        ("[1, 2] | map(# + 1) | len() == 2", true),
        (r#""abc" matches "^a.c$""#, true),
    ]);
}

#[test]
fn literals_names_and_access() {
    check_constants(&[
        ("0xff == 255 && 0b11 == 3 && 0o17 == 15 && 1_000 == 1000", true),
        (".5 + 1e1 == 10.5", true),
        (r#"'it\'s' == "it's" && `a\d` == "a\\d""#, true),
        ("/* a */ true // b", true),
        ("[1, 2, 3][1] == 2 && [1, 2, 3][-1] == 3", true),
        ("[1, 2, 3][1:] == [2, 3] && [1, 2, 3][:-1] == [1, 2] && [1, 2, 3][1:2] == [2]", true),
        ("[1, 2][5:] == [] && len([1, 2][-9:9]) == 2 && [1, 2, 3][2:1] == []", true),
        (r#""Žluť"[0] == "Ž" && "Žluť"[1:3] == "lu""#, true),
        (r#"{a: 1, "b": 2, ("c"): 3}.b == 2"#, true),
        (r#"{a: 1}["a"] == 1 && {a: 1}.z == nil && {a: 1, a: 2}.a == 2"#, true),
        (r#"{a: nil}.a?.b == nil && {a: {b: 1}}.a?.b == 1 && {a: nil}?.a?.["b"] == nil"#, true),
        (r#"{a: nil}.a?.b.c.d == nil"#, true),
        (r#""a" in {a: 1} && "b" not in {a: 1}"#, true),
        ("let x = 2; let y = x * 3; y == 6", true),
        ("(let x = 2; x) + (let x = 3; x) == 5", true),
        ("1; 2; true", true),
        ("if 1 > 2 { false } else { let a = 1; a == 1 }", true),
        ("[1, 2,] == [1, 2]", true),
        (r#"$env.Title == Title && $env["Seeders"] == 12"#, true),
    ]);
}

#[test]
fn elements_are_looked_at() {
    check_constants(&[
        ("any([1, 2], # > 1) && !any([], # > 1)", true),
        ("all([1, 2], {# > 0}) && all([], #)", true),
        ("none([1, 2], # > 2) && one([1, 2], # == 2)", true),
        ("filter([1, 2, 3], # > 1) == [2, 3]", true),
        ("map([1, 2], # * 2) == [2, 4]", true),
        (r#"map([{a: 1}, {a: 2}], .a) == [1, 2]"#, true),
        ("find([1, 2, 3], # > 1) == 2 && find([1], # > 1) == nil", true),
        ("findIndex([1, 2, 3], # > 1) == 1 && findIndex([1], # > 1) == -1", true),
        ("findLast([1, 2, 3], # < 3) == 2 && findLastIndex([1, 2, 3], # < 3) == 1", true),
        ("count([true, false, true]) == 2 && count([1, 2], # > 1) == 1", true),
        ("sum([1, 2]) == 3 && sum([1, 2.5], # * 2) == 7.0 && sum([]) == 0", true),
        ("map([5, 6], #index) == [0, 1]", true),
        ("filter(map([1, 2, 3], {let d = # * 2; d + 1}), # > 3) == [5, 7]", true),
        ("any([[1], [2, 3]], any(#, # == 3))", true),
        ("map([1, 2], map([10], #)[0] + #) == [11, 12]", true),
        ("[3, 1, 2] | filter(# > 1) | sort() | first() == 2", true),
        ("let n = 2; count([1, 2, 3], # >= n) == 2", true),
    ]);
}

#[test]
fn functions_on_numbers() {
    check_constants(&[
        ("abs(-3) == 3 && abs(-1.5) == 1.5", true),
        ("ceil(1.2) == 2 && floor(1.8) == 1 && round(1.5) == 2", true),
        (r#"int("12") == 12 && int(3.9) == 3 && float("1.5") == 1.5 && float(2) == 2"#, true),
        ("max(1, 3, 2) == 3 && min([4, 2], 3) == 2 && max([1.5, 1]) == 1.5", true),
        ("mean([1, 2, 6]) == 3 && median([5, 1, 3]) == 3 && median(1, 2) == 1.5", true),
        (r#"type(1) == "int" && type("") == "string" && type([]) == "array" && type(nil) == "nil""#, true),
    ]);
}

#[test]
fn functions_on_texts() {
    check_constants(&[
        (r#"len("Žluť") == 4 && upper("ž") == "Ž" && lower("ABC") == "abc""#, true),
        (r#"trim("  a ") == "a" && trim("xxaxx", "x") == "a""#, true),
        (r#"trimPrefix("abc", "ab") == "c" && trimSuffix("abc", "x") == "abc""#, true),
        (r#"split("a,b,,c", ",") == ["a", "b", "", "c"] && split("a,b,c", ",", 2) == ["a", "b,c"]"#, true),
        (r#"split("abc", "") == ["a", "b", "c"] && split("", ",") == [""] && split("a,", ",") == ["a", ""]"#, true),
        (r#"split("", "") == [] && split("a,b", ",", 0) == [] && splitAfter("a,b", ",") == ["a,", "b"]"#, true),
        (r#"replace("a.b.c", ".", " ") == "a b c" && repeat("ab", 2) == "abab""#, true),
        (r#"join(["a", "b"], "-") == "a-b" && join(["a", "b"]) == "ab" && join([]) == """#, true),
        (r#"indexOf("Žluť", "u") == 2 && indexOf("a", "b") == -1 && lastIndexOf("abab", "ab") == 2"#, true),
        (r#"hasPrefix("abc", "ab") && hasSuffix("abc", "bc")"#, true),
        (r#"string(1) == "1" && string(1.5) == "1.5" && string([1, "a"]) == "[1 a]" && string(nil) == "<nil>""#, true),
        (r#"Title | lower() | split(" ") | len() == 2"#, true),
    ]);
}

#[test]
fn functions_on_lists_and_maps() {
    check_constants(&[
        ("first([1, 2]) == 1 && last([1, 2]) == 2 && first([]) == nil", true),
        ("take([1, 2, 3], 2) == [1, 2] && take([1], 5) == [1]", true),
        ("keys({a: 1, b: 2}) == [\"a\", \"b\"] && values({a: 1, b: 2}) == [1, 2]", true),
        ("reverse([1, 2]) == [2, 1] && uniq([1, 2, 1, 1.0]) == [1, 2]", true),
        ("concat([1], [2], [3]) == [1, 2, 3] && flatten([1, [2, [3]]]) == [1, 2, 3]", true),
        (r#"sort([3, 1, 2]) == [1, 2, 3] && sort(["b", "a"], "desc") == ["b", "a"]"#, true),
        (r#"get([1, 2], 1) == 2 && get([1], 5) == nil && get({a: 1}, "a") == 1 && get({}, "a") == nil"#, true),
        ("len({a: 1}) == 1 && len([]) == 0", true),
    ]);
}
