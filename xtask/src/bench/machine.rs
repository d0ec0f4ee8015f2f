//! The machine that the figures were taken on.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use crate::command::output;

/// What the page says of machine and day: a list of Markdown lines.
pub(super) fn describe(measured: &Path) -> Vec<String> {
    let unknown = || "unknown".to_owned();
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cores = available_parallelism().map_or(1, std::num::NonZero::get);
    let processor = processor(&read("/proc/cpuinfo")).unwrap_or_else(unknown);
    let memory = memory(&read("/proc/meminfo")).map_or_else(unknown, |gib| format!("{gib} GiB"));
    let system = output("uname", &["-sr"]).unwrap_or_else(unknown);
    let disk = output("df", &["--output=fstype", &measured.to_string_lossy()])
        .and_then(|lines| lines.lines().last().map(str::to_owned))
        .unwrap_or_else(unknown);
    let load = read("/proc/loadavg")
        .split(' ')
        .next()
        .filter(|load| !load.is_empty())
        .map_or_else(unknown, str::to_owned);
    let version = |program: &str| output(program, &["--version"]).unwrap_or_else(|| format!("no {program}"));
    vec![
        format!("- Date: {}", output("date", &["-u", "+%Y-%m-%d"]).unwrap_or_else(unknown)),
        format!("- Machine: {processor}, {cores} cores, {memory} of memory, {system}, data on {disk}"),
        format!("- Load average at the end: {load}"),
        format!("- Tools: {}; node {}", version("rustc"), version("node")),
    ]
}

fn processor(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

fn memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((kib + 512 * 1024) / (1024 * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_and_its_memory_are_named() {
        assert_eq!(
            processor("processor\t: 0\nmodel name\t: A Chip @ 2 GHz\n").as_deref(),
            Some("A Chip @ 2 GHz")
        );
        assert_eq!(memory("MemTotal:        8039292 kB\n"), Some(8));
    }
}
