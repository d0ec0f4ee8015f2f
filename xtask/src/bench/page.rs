//! The sections of `docs/benchmarks.md`: each is written by one kind of run, and kept by the others.

/// A part of the page, between two comments.
#[derive(Clone, Copy)]
pub(super) enum Section {
    /// The figures of the authorization server.
    Tokens,
    /// What registrations cost on each store.
    Stores,
    /// How a store behaves as it grows.
    Growth,
    /// What people wrote about the figures.
    ByHand,
}

impl Section {
    fn comment(self, end: &str) -> String {
        let name = match self {
            Self::Tokens => "tokens",
            Self::Stores => "stores",
            Self::Growth => "growth",
            Self::ByHand => "written by hand",
        };
        format!("<!-- {name}: {end} -->")
    }

    /// What stands in it; `None` where the page has no such section.
    pub(super) fn of(self, page: &str) -> Option<&str> {
        let (_, rest) = page.split_once(&self.comment("begin"))?;
        rest.split_once(&self.comment("end")).map(|(inside, _)| inside)
    }

    /// The section with this in it.
    pub(super) fn with(self, inside: &str) -> String {
        format!("{}{inside}{}", self.comment("begin"), self.comment("end"))
    }

    /// The page with this in the section, and all else as it was. What is written by hand stays the last.
    pub(super) fn put(self, page: &str, inside: &str) -> String {
        let section = self.with(inside);
        if let Some(own) = self.of(page) {
            return page.replace(&self.with(own), &section);
        }
        let last = Self::ByHand.comment("begin");
        page.replace(&last, &format!("{section}\n\n{last}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_put_where_it_was_and_a_new_one_before_what_is_written_by_hand() {
        let page = format!("first\n{}\n", Section::ByHand.with("\nby hand\n"));
        let page = Section::Stores.put(&page, "old");
        let page = Section::Growth.put(&page, "curves");
        let page = Section::Stores.put(&page, "new");
        assert_eq!(Section::Stores.of(&page), Some("new"));
        assert_eq!(Section::Growth.of(&page), Some("curves"));
        assert_eq!(Section::Tokens.of(&page), None);
        assert!(page.starts_with("first\n<!-- stores: begin -->new<!-- stores: end -->\n"), "{page}");
        assert!(page.ends_with("by hand\n<!-- written by hand: end -->\n"), "{page}");
    }
}
