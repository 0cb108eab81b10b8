//! Reads variables one by one, remembers what was asked for, and collects every complaint instead of stopping at one.

use std::{collections::HashMap, fmt::Display, str::FromStr, time::Duration};

use url::Url;

use super::{Complaints, Environment, Secret, Setting, Source};

/// What our own variables begin with.
const OURS: &str = "MEMALERTS_";
/// So many slips make no other name, where it is this long.
const SLIPS: usize = 2;
const LONG: usize = 10;
/// So many where both begin with so many of the same letters: an ending is another one (`TRUSTED_PROXY`).
const SLIPS_AT_THE_END: usize = 3;
const BEGINNING: usize = 8;

/// The environment while it is being read.
#[derive(Debug, Default)]
pub struct Reader {
    values: HashMap<String, String>,
    settings: Vec<Setting>,
    missing: Vec<(&'static str, String)>,
    complaints: Vec<String>,
}

impl Reader {
    /// A reader of the given variables. Empty values count as unset, as a line `NAME=` in an env file means.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = values.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        Self { values, ..Self::default() }
    }

    /// The text of `name`, trimmed; `None` when unset.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.values.get(name).map(|value| value.trim().to_owned());
        if self.settings.iter().all(|setting| setting.name != name) {
            let source = if value.is_some() { Source::Environment } else { Source::Default };
            self.settings.push(Setting { name, value: value.as_deref().map(without_password), source });
        }
        value
    }

    /// Like [`Reader::text`], for values that must not be printed.
    pub fn secret(&mut self, name: &'static str) -> Option<Secret> {
        let secret = self.text(name).map(Secret::new);
        if let Some(secret) = &secret {
            self.show(name, secret);
        }
        secret
    }

    /// How the variable's value is printed, instead of as it was written.
    pub fn show(&mut self, name: &'static str, value: impl Display) {
        if let Some(setting) = self.settings.iter_mut().find(|setting| setting.name == name) {
            setting.value = Some(value.to_string());
        }
    }

    /// What is in effect when the variable is not set.
    pub fn otherwise(&mut self, name: &'static str, value: impl Display) {
        if let Some(setting) = self.settings.iter_mut().find(|setting| setting.name == name)
            && setting.source == Source::Default
        {
            setting.value = Some(without_password(&value.to_string()));
        }
    }

    /// A value of another type; `what` says what would be right.
    pub fn parse<T: FromStr>(&mut self, name: &'static str, what: &str) -> Option<T> {
        let text = self.text(name)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.complain(format!("{name} must be {what}, not {text:?}"));
        }
        value
    }

    /// A whole number within bounds, both included.
    pub fn number(&mut self, name: &'static str, default: u64, min: u64, max: u64) -> u64 {
        let value = self.parse(name, &format!("a whole number from {min} to {max}")).unwrap_or(default);
        if !(min..=max).contains(&value) {
            self.complain(format!("{name} must be from {min} to {max}, not {value}"));
        }
        self.otherwise(name, value);
        value
    }

    /// On or off, in the words that people have for it.
    pub fn switch(&mut self, name: &'static str, default: bool) -> bool {
        let text = self.text(name).map(|text| text.to_lowercase());
        let on = match text.as_deref() {
            None => default,
            Some("1" | "true" | "on" | "yes") => true,
            Some("0" | "false" | "off" | "no") => false,
            Some(other) => {
                self.complain(format!("{name} must be 1 or 0, not {other:?}"));
                default
            }
        };
        self.otherwise(name, u8::from(on));
        on
    }

    /// A length of time in whole seconds, at least `min`.
    pub fn seconds(&mut self, name: &'static str, default: u64, min: u64) -> Duration {
        Duration::from_secs(self.number(name, default, min, 86_400))
    }

    /// A length of time in whole milliseconds, at least `min`.
    pub fn milliseconds(&mut self, name: &'static str, default: u64, min: u64) -> Duration {
        Duration::from_millis(self.number(name, default, min, 86_400_000))
    }

    pub fn complain(&mut self, complaint: impl Display) {
        self.complaints.push(complaint.to_string());
    }

    /// A variable that the environment's kind (`MEMALERTS_ENV`) requires; `what` says for what, and how it must be.
    pub fn miss(&mut self, name: &'static str, what: String) {
        self.missing.push((name, what));
    }

    /// Variables that look like settings and are none, as far as one can tell once all were read: those with our name in
    /// front, and those that are a slip or two away from one.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        let known = |name: &str| self.settings.iter().any(|setting| setting.name == name);
        let mut names: Vec<&String> = self.values.keys().filter(|name| !known(name)).collect();
        names.sort();
        let told = |name: &String| match self.nearest(name) {
            Some(nearest) => Some(format!("{name} is no setting, {nearest} is")),
            None => name.starts_with(OURS).then(|| format!("{name} is no setting")),
        };
        names.into_iter().filter_map(told).collect()
    }

    /// The setting that was meant by a name that is none, as far as one can tell.
    fn nearest(&self, name: &str) -> Option<&'static str> {
        let near = self.settings.iter().filter(|setting| is_near(name, setting.name));
        near.map(|setting| (slips(name, setting.name), setting.name)).min().map(|(_, nearest)| nearest)
    }

    /// Of a setting that is missing: what was set in its place, it seems.
    fn instead_of(&self, missing: &str) -> String {
        let known = |name: &str| self.settings.iter().any(|setting| setting.name == name);
        let mut names: Vec<&str> = self.values.keys().map(String::as_str).filter(|name| !known(name)).collect();
        names.sort_unstable();
        let meant = names.into_iter().find(|name| self.nearest(name) == Some(missing));
        meant.map(|name| format!("; {name} is set, which is no setting: is it meant?")).unwrap_or_default()
    }

    /// Everything that was asked for, in this order; or what is wrong, all of it.
    ///
    /// # Errors
    /// Something is missing or malformed.
    pub fn finish(self) -> Result<Vec<Setting>, Complaints> {
        match self.check() {
            (settings, None) => Ok(settings),
            (_, Some(complaints)) => Err(complaints),
        }
    }

    /// Everything that was asked for, in this order, and what is wrong with it.
    #[must_use]
    pub fn check(self) -> (Vec<Setting>, Option<Complaints>) {
        let names = self.missing.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" and ");
        let kind = self.values.get("MEMALERTS_ENV").map(|kind| kind.trim());
        let missing: Vec<String> = self
            .missing
            .iter()
            .map(|(name, what)| format!("{name} is not set ({what}){}", self.instead_of(name)))
            .collect();
        let mut lines = self.complaints;
        let mut hint = None;
        if kind.is_some_and(|kind| kind.parse::<Environment>().is_err()) {
            // Which settings are required is not known before this one is right.
            if !names.is_empty() {
                hint = Some(format!("MEMALERTS_ENV=dev tries the system out; beta and prod also need {names}"));
            }
        } else {
            lines.extend(missing);
            if !names.is_empty() {
                let because = kind.map_or("MEMALERTS_ENV is not set, which means prod".to_owned(), |kind| {
                    format!("MEMALERTS_ENV is {kind}")
                });
                hint = Some(format!(
                    "{because}: it needs {names}. To try the system out on this machine, set MEMALERTS_ENV=dev, which needs nothing"
                ));
            }
        }
        let complaints = (!lines.is_empty()).then_some(Complaints { lines, hint });
        (self.settings, complaints)
    }
}

/// Whether the setting is likely what somebody meant who wrote the other name. Short names of others are near to anything.
fn is_near(name: &str, setting: &str) -> bool {
    let bare = |text: &str| text.strip_prefix(OURS).unwrap_or(text).to_owned();
    let (own, its) = (bare(name), bare(setting));
    let slips = slips(name, setting);
    let begins_alike = name.bytes().zip(setting.bytes()).take_while(|(one, other)| one == other).count() >= BEGINNING;
    (setting.len() >= LONG && slips <= SLIPS)
        || (setting.len() >= LONG && begins_alike && slips <= SLIPS_AT_THE_END && !name.starts_with(OURS))
        // Our name in front where there is none, or none where there is.
        || (own == its && its.contains('_'))
        || lacks_a_word(&own, &its)
        || name.eq_ignore_ascii_case(setting)
}

/// `PUBLIC_URL` for `PUBLIC_BASE_URL`: one word is missing, and the first one is there.
fn lacks_a_word(name: &str, setting: &str) -> bool {
    let (name, setting): (Vec<&str>, Vec<&str>) = (name.split('_').collect(), setting.split('_').collect());
    name.len() >= 2
        && setting.len() == name.len() + 1
        && (1..setting.len())
            .any(|left_out| name[..left_out] == setting[..left_out] && name[left_out..] == setting[left_out + 1..])
}

/// Letters to add, to leave out or to change until one name is the other (Levenshtein).
fn slips(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.bytes().enumerate() {
        let mut corner = at;
        row[0] = at + 1;
        for (place, its) in other.bytes().enumerate() {
            let changed = corner + usize::from(letter != its);
            corner = row[place + 1];
            row[place + 1] = changed.min(corner + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

/// Passwords in addresses are not shown, whatever setting they are in.
fn without_password(text: &str) -> String {
    let shown = |part: &str| {
        let mut url = Url::parse(part.trim()).ok().filter(|url| url.password().is_some())?;
        url.set_password(Some("***")).ok()?;
        Some(url.to_string())
    };
    text.split(',').map(|part| shown(part).unwrap_or_else(|| part.to_owned())).collect::<Vec<_>>().join(",")
}
