//! Foreign text made fit for a log line or an error message.

/// The text on one line without control characters and without characters that reorder or hide others,
/// cut to `max_chars` characters, the last of which is then `…`. Runs of blanks become one blank.
#[must_use]
pub fn clean_text(text: &str, max_chars: usize) -> String {
    let mut clean = String::new();
    let mut length = 0_usize;
    let mut blank = false;
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            blank = !clean.is_empty();
            continue;
        }
        if is_invisible(character) {
            continue;
        }
        let wanted = length.saturating_add(1).saturating_add(usize::from(blank));
        if wanted > max_chars {
            clean.pop();
            clean.push('…');
            return if max_chars == 0 { String::new() } else { clean };
        }
        if std::mem::take(&mut blank) {
            clean.push(' ');
        }
        clean.push(character);
        length = wanted;
    }
    clean
}

/// Characters that change how their neighbours are shown: directional marks, joiners, byte order marks,
/// tags and line separators.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::clean_text;

    #[test]
    fn a_forged_log_line_becomes_part_of_the_line() {
        let forged = "bad\r\n2026-01-01 ERROR paid\u{1b}[31m";
        assert_eq!(clean_text(forged, 100), "bad 2026-01-01 ERROR paid [31m");
    }

    #[test]
    fn a_long_text_is_cut_to_the_limit_and_says_so() {
        assert_eq!(clean_text("abcdef", 6), "abcdef");
        assert_eq!(clean_text("abcdefg", 6), "abcde…");
        assert_eq!(clean_text("ab cd", 3), "a…");
        assert_eq!(clean_text("abc", 0), "");
    }

    #[test]
    fn characters_that_hide_or_reorder_are_dropped() {
        assert_eq!(clean_text("ab\u{202e}cd\u{200b}e", 10), "abcde");
    }

    #[test]
    fn blanks_at_the_ends_are_dropped() {
        assert_eq!(clean_text("  a \t b  ", 10), "a b");
    }
}
