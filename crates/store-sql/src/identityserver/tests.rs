mod edits;
mod fresh;
mod golden;
mod limits;
mod opening;
mod round_trip;
mod servers;
mod suites;
