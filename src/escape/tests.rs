//! What must hold of each writer, for any text. Markdown is read by a real renderer, with the
//! extensions of GitHub and GitLab and more besides.

use comrak::{
    Arena, Options,
    nodes::{AstNode, NodeValue},
    parse_document,
};
use proptest::prelude::*;

use super::*;

mod lines;

/// Text as an attacker would write it.
fn hostile() -> impl Strategy<Value = String> {
    let fragments = [
        "@user",
        "@org/team",
        "#1",
        "!1",
        "~bug",
        "%1",
        "&1",
        "$1",
        "GH-1",
        "owner/repo#1",
        "^1",
        "deadbeef1234",
        "`",
        "```",
        "````````````",
        "~~~",
        "|",
        "||",
        "\\",
        "\\|",
        "](http://x.y)",
        "![",
        "[a](b)",
        "[^1]",
        "[ ]",
        "- ",
        "+ ",
        "1. ",
        "2) ",
        "> ",
        "# ",
        "---",
        "===",
        "***",
        "<details>",
        "</details>",
        "</summary>",
        "<!--",
        "-->",
        "<a href=x>",
        "&lt;",
        "&#64;u",
        "::error::",
        "::",
        "##[group]",
        "##vso[task]",
        "##",
        "[",
        "/close",
        "\n",
        "\r\n",
        "\n\n",
        "\r",
        "\t",
        " ",
        "    ",
        "\u{1b}[2J",
        "\u{202e}",
        "\u{200b}",
        "\u{feff}",
        "\u{e0041}",
        "\u{85}",
        "\u{2028}",
        "\u{fffe}",
        ":x:",
        "$x$",
        "$$",
        "*a*",
        "_b_",
        "~~c~~",
        "==d==",
        "http://e.x",
        "https://e.x/a",
        "www.e.x",
        "WWW.e.x",
        "a@b.cc",
        "mailto:a@b.cc",
        "{+a+}",
        "||s||",
        "%%c%%",
        "++i++",
        ":::note",
        "[[w]]",
        "word",
        "read only",
        "a.b",
        "é",
        "日本",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(fragments.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[ -~]{0,6}",
        1 => "[`| ]{1,12}",
    ];
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

fn is_safe_for_runners(text: &str) -> bool {
    text.split('\n').all(|line| {
        let bracket = ["##[", "##vso[", "##teamcity["];
        !line.trim().starts_with("::") && !bracket.iter().any(|b| line.contains(b))
    })
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    let on = &mut options.extension;
    for extension in [
        &mut on.strikethrough,
        &mut on.table,
        &mut on.autolink,
        &mut on.tasklist,
        &mut on.superscript,
        &mut on.footnotes,
        &mut on.inline_footnotes,
        &mut on.description_lists,
        &mut on.multiline_block_quotes,
        &mut on.alerts,
        &mut on.math_dollars,
        &mut on.math_code,
        &mut on.wikilinks_title_after_pipe,
        &mut on.underline,
        &mut on.subscript,
        &mut on.spoiler,
        &mut on.subtext,
        &mut on.highlight,
        &mut on.insert,
    ] {
        *extension = true;
    }
    options.parse.relaxed_tasklist_matching = true;
    options.parse.relaxed_autolinks = true;
    options
}

/// A document as its blocks and its inline text: `Paragraph`, `"text"`, `Code("text")`, ....
#[derive(Debug, Default, PartialEq)]
struct Read {
    blocks: Vec<String>,
    text: String,
    /// The part of `text` outside code, where mentions and references are looked for.
    open: String,
}

fn read(markdown: &str) -> Read {
    fn walk<'a>(node: &'a AstNode<'a>, read: &mut Read) {
        match &node.data.borrow().value {
            NodeValue::Text(text) => {
                read.text.push_str(text);
                read.open.push_str(text);
            }
            NodeValue::Code(code) => {
                read.text.push_str(&code.literal);
                read.open.push('\0');
            }
            NodeValue::CodeBlock(block) => {
                read.blocks.push(format!("CodeBlock {}", block.info));
                read.text.push_str(&block.literal);
            }
            other => {
                let name = format!("{other:?}");
                let end = name.find(['(', '{', ' ']).unwrap_or(name.len());
                read.blocks.push(name[..end].to_owned());
            }
        }
        for child in node.children() {
            walk(child, read);
        }
    }
    let arena = Arena::new();
    let mut out = Read::default();
    walk(parse_document(&arena, markdown, &options()), &mut out);
    out
}

/// The text that a reader of `markdown(text)` is to see.
fn as_read(text: &str) -> String {
    let words: Vec<&str> = text
        .split([' ', '\n', '\r', '\t'])
        .filter(|w| !w.is_empty())
        .collect();
    terminal(&words.join(" ")).into_owned()
}

#[test]
fn plain_text_stays() {
    for text in [
        "",
        "chat:write",
        "a\\b",
        "naïve 日本語",
        "50 % & more",
        "#[x]",
        "http://[::1]:4400/",
        "a: :b",
    ] {
        assert_eq!(terminal(text), text);
        assert_eq!(log_line(text), text);
    }
    for text in [
        "The file's scopes differ (see below).",
        "HTTP 403: no access!",
        "and/or, e.g. v1.2",
    ] {
        assert_eq!(markdown(text), text);
    }
}

#[test]
fn what_acts_or_hides_is_written_as_a_number() {
    assert_eq!(
        terminal("a\u{1b}[2Jb\nc\u{202e}d"),
        "a\\u{1b}[2Jb\\u{a}c\\u{202e}d"
    );
    assert_eq!(
        terminal("\u{ad}\u{fe0f}\u{e0041}\u{3164}\u{a0}\u{1fffe}")
            .matches("\\u{")
            .count(),
        6
    );
    assert_eq!(terminal("  ::error::x"), "  \\u{3a}:error\\u{3a}:x");
    assert_eq!(
        terminal("a ###[x] ##vso[y]"),
        "a #\\u{23}#[x] \\u{23}#vso[y]"
    );
    assert_eq!(log_line("--- Build"), "\\u{2d}-- Build");
    assert_eq!(terminal("--- Build"), "--- Build");
}

#[test]
fn long_text_is_shortened_in_the_middle() {
    assert_eq!(limited("abcdefghij", 10), "abcdefghij");
    assert_eq!(limited("abcdefghij", 7), "abc…hij");
    assert_eq!(limited("abcdefghij", 1), "…");
    assert_eq!(limited("abcdefghij", 0), "");
    assert_eq!(limited("日本語日本語", 7), "日…語");
    // An escape is kept whole or left out.
    assert_eq!(limited("ab\u{1b}cdefgh", 8), "ab…fgh");
    assert_eq!(terminal_width("日本\u{1b}"), 4 + 6);
}

#[test]
fn markdown_reads_as_plain_text_too() {
    assert_eq!(
        markdown("ops@example.com already authorized `slack`; ask @ops, see https://e.x/a_b"),
        "`ops@example.com` already authorized `` `slack`; `` ask `@ops,` see `https://e.x/a_b`"
    );
    assert_eq!(
        markdown("1. fix #12\n- /close"),
        "`1.` fix `#12` `-` `/close`"
    );
    assert_eq!(markdown("a|b"), "`a`&#124;`b`");
    assert_eq!(markdown_code("chat:write"), "`chat:write`");
    assert_eq!(markdown_code(" x "), "`  x  `");
    assert_eq!(markdown_code("`"), "`` ` ``");
    assert_eq!(markdown_code("a\nb"), "`a\\u{a}b`");
}

#[test]
fn renderers_that_stop_counting_backticks_are_no_way_out() {
    for ticks in [1, 8, 9, 79, 80, 81, 300] {
        let text = format!("<b>{}</b>", "`".repeat(ticks));
        for out in [markdown(&text), markdown_code(&text)] {
            let read = read(&out);
            assert_eq!(read.blocks, ["Document", "Paragraph"], "{ticks}");
            assert_eq!(read.text, text);
        }
    }
}

#[test]
fn words_that_become_links_without_a_mark_are_code() {
    for word in [
        "deadbeef",
        "1234567",
        "abc1234..def5678",
        "GH-1",
        "(PROJ-77)",
        "www.e.x",
        "1)",
    ] {
        assert!(markdown(word).contains('`'), "{word}");
    }
}

#[test]
fn a_fence_is_longer_than_what_it_holds() {
    assert_eq!(fence("+ a\n- b\n", "diff"), "```diff\n+ a\n- b\n```\n");
    assert_eq!(fence("````", "a b`c"), "`````abc\n````\n`````\n");
    assert_eq!(
        fence("::x\n /close\r\n", ""),
        "```\n\\u{3a}:x\n \\u{2f}close\n```\n"
    );
    let long = fence(&"`".repeat(400), "");
    assert!(long.lines().next().is_some_and(|l| l.len() == 16));
}

#[test]
fn html_holds_no_tag_and_no_open_quote() {
    assert_eq!(
        html("<a b='c' d=\"e\">&\n`"),
        "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp; &#96;"
    );
    assert_eq!(
        html_in_markdown("read_only @a"),
        "<code>read&#95;only &#64;a</code>"
    );
}

#[test]
fn values_of_workflow_commands_end_where_they_end() {
    assert_eq!(
        command_data("50%\r\n::error::x"),
        "50%25%0A\\u{3a}:error\\u{3a}:x"
    );
    assert_eq!(command_property("a,b:c%\n"), "a%2Cb%3Ac%25\\u{a}");
}

proptest! {
    #[test]
    fn nothing_hidden_gets_through(text in hostile(), max in 0_usize..40) {
        for out in [
            terminal(&text).into_owned(),
            log_line(&text).into_owned(),
            limited(&text, max),
            markdown(&text),
            markdown_code(&text),
            html(&text),
            html_in_markdown(&text),
            command_data(&text),
            command_property(&text),
        ] {
            prop_assert!(!out.contains(is_hidden), "{out:?}");
            prop_assert!(is_safe_for_runners(&out), "{out:?}");
        }
        let fenced = fence(&text, "diff");
        prop_assert!(!fenced.contains(|c| c != '\n' && is_hidden(c)), "{fenced:?}");
        prop_assert!(is_safe_for_runners(&fenced), "{fenced:?}");
    }

    #[test]
    fn shortened_text_fits(text in hostile(), max in 0_usize..40) {
        let short = limited(&text, max);
        prop_assert!(short.chars().count() <= max);
        prop_assert!(short == terminal(&text) || short.contains('…') || max == 0);
    }

    #[test]
    fn markdown_is_read_as_it_was_written(text in hostile()) {
        let (out, shown) = (markdown(&text), as_read(&text));
        let in_code = if text.is_empty() { " ".into() } else { terminal(&text) };
        for (out, shown) in [(&out, shown.as_str()), (&markdown_code(&text), &in_code)] {
            if out.is_empty() {
                continue;
            }
            let alone = read(out);
            prop_assert_eq!(&alone.blocks, &["Document", "Paragraph"]);
            prop_assert_eq!(&alone.text, shown);
            let letters = |c: char| {
                c.is_alphanumeric() || !c.is_ascii() || "\0 |`-.,;:/'\"()!?".contains(c)
            };
            prop_assert!(alone.open.chars().all(letters), "{:?}", alone.open);

            let heading = read(&format!("## {out}\n"));
            prop_assert_eq!(&heading.blocks, &["Document", "Heading"]);
            prop_assert_eq!(&heading.text, shown);

            let item = read(&format!("- {out}\n- next\n"));
            prop_assert_eq!(
                item.blocks.join(" "),
                "Document List Item Paragraph Item Paragraph"
            );
            prop_assert_eq!(&item.text, &format!("{shown}next"));

            let table = read(&format!("| a | b |\n|---|---|\n| {out} | {out} |\n"));
            let row = "TableRow TableCell TableCell";
            prop_assert_eq!(table.blocks.join(" "), format!("Document Table {row} {row}"));
            prop_assert_eq!(&table.text, &format!("ab{shown}{shown}"));

            let within = read(&format!("**x** ({out}) and {out}: *y*\n"));
            prop_assert_eq!(within.blocks.join(" "), "Document Paragraph Strong Emph");
            prop_assert_eq!(&within.text, &format!("x ({shown}) and {shown}: y"));
        }
    }

    #[test]
    fn a_fence_ends_at_its_end(text in hostile(), ticks in 0_usize..300) {
        let body = format!("{text}\n{}\n{text}", "`".repeat(ticks));
        let out = fence(&body, "diff");
        let whole = read(&format!("{out}\nafter\n"));
        prop_assert_eq!(whole.blocks.join(","), "Document,CodeBlock diff,Paragraph");
        prop_assert!(whole.text.ends_with("after"));
        // Every line of the body is a line of the block.
        let lines = body.strip_suffix('\n').unwrap_or(&body).split('\n').count();
        prop_assert_eq!(whole.text.trim_end_matches("after").matches('\n').count(), lines);
    }

    #[test]
    fn html_in_markdown_is_text_wherever_it_stands(text in hostile()) {
        let out = html_in_markdown(&text);
        let inner = out.strip_prefix("<code>").and_then(|o| o.strip_suffix("</code>"));
        let letters = |c: char| {
            c.is_ascii_alphanumeric() || !c.is_ascii() || " &#;.,/-".contains(c)
        };
        prop_assert!(inner.is_some_and(|inner| inner.chars().all(letters)), "{out:?}");
        let page = html(&text);
        prop_assert!(!page.contains(['<', '>', '"', '\'', '`']), "{page:?}");
    }
}
