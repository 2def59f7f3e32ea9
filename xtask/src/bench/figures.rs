//! Figures of several rounds: the median, with the least and the most beside it.

use std::fmt;

/// One figure, measured in several rounds.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures(Vec<f64>);

impl Figures {
    /// The figure of one more round.
    pub(super) fn push(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    /// The middle one; of an even number the lower middle.
    pub(super) fn median(&self) -> f64 {
        self.0.get(self.0.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
    }

    /// The figure below which this share of them lies, as 0.99; the nearest one that was measured.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank between nothing and the number of figures"
        )]
        let rank = (self.0.len() as f64 * share).ceil().max(1.0) as usize;
        self.0.get(rank.min(self.0.len()).saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }

    /// All of them, the least first.
    pub(super) fn all(&self) -> &[f64] {
        &self.0
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Shown with so many decimals.
    pub(super) fn shown(&self, decimals: usize) -> Shown<'_> {
        Shown { figures: self, decimals }
    }
}

impl FromIterator<f64> for Figures {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut figures = Self::default();
        values.into_iter().for_each(|value| figures.push(value));
        figures
    }
}

/// `median (least–most)`.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    figures: &'a Figures,
    decimals: usize,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = &self.figures.0;
        let (Some(least), Some(most)) = (values.first(), values.last()) else { return f.write_str("not measured") };
        let decimals = self.decimals;
        let text = format!("{:.decimals$} ({least:.decimals$}–{most:.decimals$})", self.figures.median());
        f.pad(&text)
    }
}

/// Prints a ratio beside its goal.
pub(super) fn against(goal: Goal, what: &str, ratio: f64) {
    let met = match goal {
        Goal::AtLeast(_, bound) => ratio >= bound,
        Goal::AtMost(_, bound) => ratio <= bound,
    };
    let (name, sign, bound) = match goal {
        Goal::AtLeast(name, bound) => (name, "≥", bound),
        Goal::AtMost(name, bound) => (name, "≤", bound),
    };
    println!("  {name:<6} {what:<62} {ratio:>8.2}   goal {sign} {bound}: {}", if met { "met" } else { "MISSED" });
}

/// A bound on a ratio, by its name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    /// More is better.
    AtLeast(&'static str, f64),
    /// Less is better.
    AtMost(&'static str, f64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_figure_that_was_measured() {
        let figures: Figures = [9.0, 1.0, 5.0].into_iter().collect();
        assert!((figures.median() - 5.0).abs() < f64::EPSILON);
        assert_eq!(figures.shown(1).to_string(), "5.0 (1.0–9.0)");
        let even: Figures = [4.0, 1.0, 3.0, 2.0].into_iter().collect();
        assert!((even.median() - 2.0).abs() < f64::EPSILON);
        let hundred: Figures = (1..=100).map(f64::from).collect();
        assert!((hundred.percentile(0.99) - 99.0).abs() < f64::EPSILON);
        assert!((hundred.percentile(1.0) - 100.0).abs() < f64::EPSILON);
        assert_eq!(Figures::default().shown(0).to_string(), "not measured");
    }
}
