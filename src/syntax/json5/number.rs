//! Numbers: signs, hexadecimal, `.5`, `5.`, `Infinity`, `NaN`.

use super::parser::Parser;

impl Parser<'_> {
    /// Takes a number that starts here; `None` if what starts like one is none.
    pub(super) fn number(&mut self) -> Option<f64> {
        let negative = self.peek() == Some('-');
        if negative || self.peek() == Some('+') {
            self.pos += 1;
        }
        let magnitude = self.magnitude()?;
        Some(if negative { -magnitude } else { magnitude })
    }

    fn magnitude(&mut self) -> Option<f64> {
        for (word, value) in [("Infinity", f64::INFINITY), ("NaN", f64::NAN)] {
            if self.rest().starts_with(word) {
                self.pos += word.len();
                return Some(value);
            }
        }
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.pos += 2;
            return self.hexadecimal();
        }
        let start = self.pos;
        // A zero stands alone before the point: `012` is not a number.
        let whole = if self.eat('0') { 1 } else { self.digits() };
        let fraction = if self.eat('.') { self.digits() } else { 0 };
        if whole + fraction == 0 {
            return None;
        }
        if self.eat('e') || self.eat('E') {
            let _sign = self.eat('+') || self.eat('-');
            if self.digits() == 0 {
                return None;
            }
        }
        // Rust reads `.5` and `5.` as JavaScript does.
        self.slice(start..self.pos).parse().ok()
    }

    fn digits(&mut self) -> usize {
        let rest = self.rest();
        let count = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        self.pos += count;
        count
    }

    fn hexadecimal(&mut self) -> Option<f64> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(16)) {
            self.pos += 1;
            number = Some(number.unwrap_or(0.0) * 16.0 + f64::from(digit));
        }
        number
    }
}
