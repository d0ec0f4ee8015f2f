//! What a run of growth saw, as it is kept beside the page: a line of JSON for each store.

use serde_json::{Value, json};

use crate::Failure;

/// One store, from empty to full.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Curve {
    pub(crate) store: String,
    /// What the page says of machine and run, as Markdown.
    pub(crate) run: String,
    /// From the smallest on.
    pub(crate) points: Vec<Point>,
}

/// A store with so many clients.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) clients: u64,
    pub(crate) registration: Compared,
    pub(crate) look_up: Compared,
    /// Resident bytes of the server.
    pub(crate) resident: Option<u64>,
    /// What the database takes of the disk, in bytes.
    pub(crate) disk: u64,
    /// Clients registered a second while it was filled up to here.
    pub(crate) fill_rate: Option<f64>,
}

/// The latencies of one request, in milliseconds, beside those of an empty store at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Compared {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) empty_p50: f64,
    pub(crate) empty_p99: f64,
    /// Of the p99 to that of the empty store: the median of the rounds.
    pub(crate) ratio: f64,
    /// What part of the requests was answered that were to be sent: 1 where the store keeps up.
    pub(crate) kept_up: f64,
}

/// The file of these curves.
pub(super) fn written(curves: &[Curve]) -> String {
    let lines: Vec<_> = curves.iter().map(|curve| format!("{}\n", curve.to_json())).collect();
    lines.concat()
}

/// The curves of such a file.
pub(super) fn read(file: &str) -> Result<Vec<Curve>, Failure> {
    file.lines().filter(|line| !line.is_empty()).map(Curve::from_line).collect()
}

/// The curves with this one in the place of the store's last.
pub(super) fn with(mut curves: Vec<Curve>, curve: Curve) -> Vec<Curve> {
    match curves.iter_mut().find(|other| other.store == curve.store) {
        Some(last) => *last = curve,
        None => curves.push(curve),
    }
    curves
}

impl Curve {
    /// The largest ratio of any size.
    pub(super) fn worst(&self, of: impl Fn(&Point) -> Compared) -> Option<f64> {
        self.points.iter().map(|point| of(point).ratio).max_by(f64::total_cmp)
    }

    fn to_json(&self) -> Value {
        let points: Vec<_> = self.points.iter().map(|point| point.to_json()).collect();
        json!({ "store": self.store, "run": self.run, "points": points })
    }

    fn from_line(line: &str) -> Result<Self, Failure> {
        let json: Value = serde_json::from_str(line)?;
        let text = |name: &str| {
            json[name].as_str().map(str::to_owned).ok_or_else(|| format!("a curve without `{name}`"))
        };
        let points = json["points"].as_array().ok_or("a curve without `points`")?;
        Ok(Self {
            store: text("store")?,
            run: text("run")?,
            points: points.iter().map(Point::from_json).collect::<Result<_, _>>()?,
        })
    }
}

impl Point {
    fn to_json(self) -> Value {
        json!({
            "clients": self.clients,
            "registration": self.registration.to_json(),
            "look_up": self.look_up.to_json(),
            "resident": self.resident,
            "disk": self.disk,
            "fill_rate": self.fill_rate.map(rounded),
        })
    }

    fn from_json(json: &Value) -> Result<Self, Failure> {
        Ok(Self {
            clients: json["clients"].as_u64().ok_or("a point without `clients`")?,
            registration: Compared::from_json(&json["registration"])?,
            look_up: Compared::from_json(&json["look_up"])?,
            resident: json["resident"].as_u64(),
            disk: json["disk"].as_u64().ok_or("a point without `disk`")?,
            fill_rate: json["fill_rate"].as_f64(),
        })
    }
}

impl Compared {
    fn to_json(self) -> Value {
        json!({
            "p50": rounded(self.p50),
            "p99": rounded(self.p99),
            "empty_p50": rounded(self.empty_p50),
            "empty_p99": rounded(self.empty_p99),
            "ratio": rounded(self.ratio),
            "kept_up": rounded(self.kept_up),
        })
    }

    fn from_json(json: &Value) -> Result<Self, Failure> {
        let number = |name: &str| json[name].as_f64().ok_or_else(|| format!("a point without `{name}`"));
        Ok(Self {
            p50: number("p50")?,
            p99: number("p99")?,
            empty_p50: number("empty_p50")?,
            empty_p99: number("empty_p99")?,
            ratio: number("ratio")?,
            kept_up: number("kept_up")?,
        })
    }
}

/// To a thousandth: what is below is chance.
fn rounded(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(store: &str, ratios: &[f64]) -> Curve {
        let compared =
            |ratio| Compared { p50: 0.5, p99: ratio, empty_p50: 0.5, empty_p99: 1.0, ratio, kept_up: 1.0 };
        let point = |ratio: &f64| Point {
            clients: 10_000,
            registration: compared(*ratio),
            look_up: compared(1.0),
            resident: Some(1 << 20),
            disk: 1 << 30,
            fill_rate: None,
        };
        Curve {
            store: store.to_owned(),
            run: "- Date: today\n- Machine: \"quick\"".to_owned(),
            points: ratios.iter().map(point).collect(),
        }
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let curves = [curve("SQLite", &[1.0, 1.25]), curve("PostgreSQL", &[])];
        let file = written(&curves);
        assert_eq!(file.lines().count(), 2);
        assert_eq!(read(&file).unwrap(), curves);
        assert!(read("{\"store\":\"SQLite\"}").is_err());
    }

    #[test]
    fn a_later_run_takes_the_place_of_the_same_store_alone() {
        let curves = vec![curve("SQLite", &[1.0]), curve("PostgreSQL", &[1.0])];
        let curves = with(curves, curve("SQLite", &[1.0, 1.5]));
        let curves = with(curves, curve("MariaDB", &[]));
        let seen: Vec<_> = curves.iter().map(|curve| (curve.store.as_str(), curve.points.len())).collect();
        assert_eq!(seen, [("SQLite", 2), ("PostgreSQL", 1), ("MariaDB", 0)]);
    }

    #[test]
    fn the_worst_ratio_of_any_size_counts() {
        assert_eq!(curve("SQLite", &[1.0, 1.5, 1.25]).worst(|point| point.registration), Some(1.5));
        assert_eq!(curve("SQLite", &[]).worst(|point| point.registration), None);
    }
}
