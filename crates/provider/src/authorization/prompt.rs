//! `prompt`: what the user must be asked, or that nobody may be. OpenID Connect Core 1.0 §3.1.2.1.

use crate::ProtocolError;

/// The values of `prompt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prompts {
    /// No page at all.
    pub(crate) none: bool,
    /// Somebody must log in, whoever is there: `login`, or `select_account`, for which the page of the login is the place.
    pub(crate) login: bool,
    /// The user must be asked what the client may have.
    pub(crate) consent: bool,
}

impl Prompts {
    /// What is known here. `prompt_values_supported`.
    pub(crate) const ALL: [&'static str; 4] = ["none", "login", "consent", "select_account"];

    /// Reads the parameter; `none` stands alone.
    pub(crate) fn read(sent: Option<&str>) -> Result<Self, ProtocolError> {
        let mut prompts = Self::default();
        let mut count = 0;
        for value in sent.unwrap_or_default().split(' ').filter(|value| !value.is_empty()) {
            count += 1;
            match value {
                "none" => prompts.none = true,
                "login" | "select_account" => prompts.login = true,
                "consent" => prompts.consent = true,
                _ => {
                    let problem = format!("prompt: must be of {}", Self::ALL.join(", "));
                    return Err(ProtocolError::invalid_request(problem));
                }
            }
        }
        match prompts.none && count > 1 {
            true => Err(ProtocolError::invalid_request("prompt: none stands alone")),
            false => Ok(prompts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_asks_for_a_page_and_none_for_no_page() {
        let read = |sent| Prompts::read(sent).unwrap();
        assert_eq!(read(None), Prompts::default());
        assert_eq!(read(Some("none")), Prompts { none: true, ..Prompts::default() });
        assert_eq!(read(Some("login consent")), Prompts { none: false, login: true, consent: true });
        assert_eq!(read(Some("select_account")), Prompts { login: true, ..Prompts::default() });
        for wrong in ["none login", "none none", "create", "Login", "none consent"] {
            assert!(Prompts::read(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
