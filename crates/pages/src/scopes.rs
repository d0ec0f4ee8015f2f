//! What the scopes of the standard mean to people, and the one of this server itself. OpenID Connect Core 1.0 §5.4, §11.

use crate::Language;

impl Language {
    /// What people call a scope that every server of this kind has, and what it means to them.
    ///
    /// ```
    /// use enroll_pages::Language;
    ///
    /// assert_eq!(Language::German.standard_scope("email").unwrap().0, "Ihre E-Mail-Adresse");
    /// assert!(Language::English.standard_scope("api1").is_none());
    /// ```
    pub fn standard_scope(self, scope: &str) -> Option<(&'static str, &'static str)> {
        let meanings = match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
            Self::Japanese => &JAPANESE,
        };
        meanings.iter().find(|(name, ..)| *name == scope).map(|(_, title, meaning)| (*title, *meaning))
    }
}

type Meanings = [(&'static str, &'static str, &'static str); 7];

const ENGLISH: Meanings = [
    (
        "openid",
        "Know who you are",
        "It learns the name under which this service knows you, and when you signed in.",
    ),
    (
        "profile",
        "Your profile",
        "Your name, your picture, your language and what else you told about yourself.",
    ),
    ("email", "Your e-mail address", "The address, and whether it has been verified."),
    ("address", "Your postal address", "Where you live or receive mail."),
    ("phone", "Your phone number", "The number, and whether it has been verified."),
    (
        "offline_access",
        "Access while you are away",
        "It can go on using what you allow here when you are not signed in, until you take it back.",
    ),
    ("enroll.registration", "Register applications", "It can register other applications here."),
];

const GERMAN: Meanings = [
    (
        "openid",
        "Wissen, wer Sie sind",
        "Die Anwendung erfährt, unter welchem Namen dieser Dienst Sie kennt und wann Sie sich angemeldet haben.",
    ),
    (
        "profile",
        "Ihr Profil",
        "Ihr Name, Ihr Bild, Ihre Sprache und was Sie sonst über sich angegeben haben.",
    ),
    ("email", "Ihre E-Mail-Adresse", "Die Adresse, und ob sie bestätigt ist."),
    ("address", "Ihre Anschrift", "Wo Sie wohnen oder Post empfangen."),
    ("phone", "Ihre Telefonnummer", "Die Nummer, und ob sie bestätigt ist."),
    (
        "offline_access",
        "Zugriff, während Sie abwesend sind",
        "Die Anwendung kann weiter nutzen, was Sie hier erlauben, auch wenn Sie nicht angemeldet sind, bis Sie es zurücknehmen.",
    ),
    (
        "enroll.registration",
        "Anwendungen registrieren",
        "Die Anwendung kann hier weitere Anwendungen registrieren.",
    ),
];

const JAPANESE: Meanings = [
    ("openid", "ご本人の確認", "このサービスでの識別名と、ログインした日時を知ることができます。"),
    ("profile", "プロフィール", "お名前、写真、言語など、ご自身について登録された情報です。"),
    ("email", "メールアドレス", "メールアドレスと、その確認が済んでいるかどうかです。"),
    ("address", "住所", "お住まい、または郵便物の送り先です。"),
    ("phone", "電話番号", "電話番号と、その確認が済んでいるかどうかです。"),
    (
        "offline_access",
        "不在時のアクセス",
        "ログインしていない間も、取り消されるまで、ここで許可した内容を利用し続けることができます。",
    ),
    (
        "enroll.registration",
        "アプリケーションの登録",
        "このサービスに他のアプリケーションを登録することができます。",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_knows_every_scope_in_words_of_its_own() {
        for (name, title, _) in ENGLISH {
            for language in [Language::German, Language::Japanese] {
                let (own, meaning) = language.standard_scope(name).unwrap();
                assert!(own != title && !meaning.is_empty(), "{name} in {}", language.tag());
            }
        }
    }
}
