//! How each engine spells what these statements need beyond what all have in common.

use super::columns::Kind;
use crate::database::Engine;

impl Engine {
    /// A name as it stands in the catalogue.
    pub(super) fn quoted(self, name: &str) -> String {
        match self {
            Self::Sqlite | Self::Postgres => format!("\"{name}\""),
            Self::MySql => format!("`{name}`"),
        }
    }

    /// A text, or a number without more to it, as text.
    pub(super) fn text(self, expression: &str) -> String {
        match self {
            Self::Sqlite | Self::Postgres => format!("CAST({expression} AS TEXT)"),
            Self::MySql => format!("CAST({expression} AS CHAR)"),
        }
    }

    /// A column as text: a number for a flag, or a word; a date in UTC.
    pub(super) fn read(self, column: &str, kind: Kind, type_name: &str) -> String {
        match (self, kind) {
            (Self::Postgres, Kind::Moment) if has_zone(type_name) => {
                self.text(&format!("({column} AT TIME ZONE 'UTC')"))
            }
            // A bit is no text before it is a number.
            (Self::MySql, Kind::Flag) => self.text(&format!("({column} + 0)")),
            _ => self.text(column),
        }
    }

    /// A placeholder for what goes into a column: a whole number for numbers and flags, a text for the rest. Nothing may
    /// stand for any of them, so the type is said for those who would take it from the first value.
    pub(super) fn placeholder(self, kind: Kind, type_name: &str) -> &'static str {
        match (self, kind) {
            (Self::Postgres, Kind::Flag) => "(CAST(? AS BIGINT) = 1)",
            (Self::Postgres, Kind::Number) => "CAST(CAST(? AS BIGINT) AS INTEGER)",
            (Self::Postgres, Kind::Text) => "CAST(? AS TEXT)",
            (Self::Postgres, Kind::Moment) if has_zone(type_name) => {
                "(CAST(CAST(? AS TEXT) AS TIMESTAMP) AT TIME ZONE 'UTC')"
            }
            (Self::Postgres, Kind::Moment) => "CAST(CAST(? AS TEXT) AS TIMESTAMP)",
            (Self::Postgres, Kind::Span) => "CAST(CAST(? AS TEXT) AS INTERVAL)",
            (Self::MySql, Kind::Flag) if type_name.starts_with("bit") => "(? = 1)",
            _ => "?",
        }
    }

    /// A text that is compared and ordered byte by byte, in UTF-8, whatever its column does: some engines take it for equal to one
    /// with other capitals or with spaces behind.
    pub(super) fn bytewise(self, expression: &str) -> String {
        match self {
            Self::Sqlite => format!("{expression} COLLATE BINARY"),
            Self::Postgres => format!("{expression} COLLATE \"C\""),
            Self::MySql => format!("CAST(CONVERT({expression} USING utf8mb4) AS BINARY)"),
        }
    }

    /// Which columns there are: table, column, type, whether it needs a value that somebody gives, how many characters fit,
    /// and by which collation it is compared, where that may take different texts for equal.
    pub(super) fn catalogue(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT tables.name, columns.name, lower(columns.type), \
                 CASE WHEN columns.\"notnull\" = 1 AND columns.dflt_value IS NULL AND columns.pk = 0 \
                 THEN '1' ELSE '0' END, NULL, NULL \
                 FROM sqlite_master tables JOIN pragma_table_info(tables.name) columns WHERE tables.type = 'table'"
            }
            Self::Postgres => {
                "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), lower(CAST(data_type AS TEXT)), \
                 CASE WHEN is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' \
                 THEN '1' ELSE '0' END, CAST(character_maximum_length AS TEXT), NULL \
                 FROM information_schema.columns WHERE table_schema = current_schema()"
            }
            Self::MySql => {
                "SELECT CAST(table_name AS CHAR), CAST(column_name AS CHAR), lower(CAST(column_type AS CHAR)), \
                 CASE WHEN is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%auto_increment%' \
                 THEN '1' ELSE '0' END, CAST(character_maximum_length AS CHAR), CAST(collation_name AS CHAR) \
                 FROM information_schema.columns WHERE table_schema = DATABASE()"
            }
        }
    }
}

/// `timestamp with time zone`
fn has_zone(type_name: &str) -> bool {
    type_name.contains("with time zone")
}
