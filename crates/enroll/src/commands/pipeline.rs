//! `enroll pipeline`: the steps of a registration, in their order.

use enroll_registration::steps;

use super::say;
use crate::failure::Failure;

pub(super) fn run() -> Result<(), Failure> {
    for (number, (name, about)) in steps::ABOUT.iter().enumerate() {
        say(format_args!("{:>2}  {name:<26}  {about}", number + 1))?;
    }
    Ok(())
}
