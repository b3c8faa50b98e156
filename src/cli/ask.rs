//! Questions to whoever sits at a terminal. A wrong answer is told and asked for again; where nobody
//! sits there, a flag must say it.

use super::exit::{Code, Failure};
use super::stderr::say;
use crate::config::{clean_secret, shown_variable};
use secrecy::SecretString;
use std::io::{BufRead, IsTerminal, Write};
use zeroize::Zeroizing;

/// Whether somebody can be asked.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks a person; `None` where there is nobody to ask.
pub(super) fn ask(question: &str) -> Option<std::io::Result<String>> {
    if !can_ask() {
        return None;
    }
    // Whoever cannot read the question can still answer it.
    let _ = write!(std::io::stderr(), "{question}: ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    Some(read.and_then(|bytes| match bytes {
        0 => Err(std::io::Error::new(
            std::io::ErrorKind::UnexpectedEof,
            "no answer was given",
        )),
        _ => Ok(answer.trim().to_owned()),
    }))
}

/// Asks until the answer is one; elsewhere says which flag is missing.
pub(super) fn ask_for<T>(
    question: &str,
    flag: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Failure> {
    loop {
        let answer = ask(question).ok_or_else(|| {
            Failure::usage(format!("{flag} is missing")).hint("on a terminal it would be asked for")
        })?;
        let answer = answer.map_err(|error| Failure::new(Code::Usage, error))?;
        match parse(&answer) {
            Ok(value) => return Ok(value),
            Err(why) => say(&format!("{why}; once more")),
        }
    }
}

/// Any text but an empty one.
pub(super) fn text(answer: &str) -> Result<String, String> {
    if answer.is_empty() {
        Err("nothing was entered".to_owned())
    } else {
        Ok(answer.to_owned())
    }
}

/// Asks for yes or no; where nobody can be asked it is no.
pub(super) fn yes(question: &str) -> Result<bool, Failure> {
    if !can_ask() {
        return Ok(false);
    }
    ask_for(&format!("{question} [y/n]"), "", |answer| {
        match answer.to_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            "n" | "no" => Ok(false),
            _ => Err("y or n".to_owned()),
        }
    })
}

/// A secret: from a variable, from a terminal without echo, or as the first line of standard input.
/// It is never taken from the command line, where every user of the machine could read it.
pub(super) fn secret(
    what: &str,
    flag: &str,
    variable: Option<&str>,
) -> Result<SecretString, Failure> {
    let (secret, source) = match variable {
        None if can_ask() => loop {
            let typed = rpassword::prompt_password(format!("{what}: "))
                .map_err(|error| Failure::new(Code::Usage, error))?;
            match clean_secret(&Zeroizing::new(typed)) {
                Ok(secret) => return Ok(secret),
                Err(why) => say(&format!("{what} {why}; once more")),
            }
        },
        Some(name) => {
            // What does not look like a variable's name may be the secret itself, so it is not
            // repeated.
            let shown = shown_variable(name).map_or_else(
                || format!("the variable that {flag} names"),
                |name| format!("the variable {name}"),
            );
            let is_name = !name.is_empty() && !name.contains(['=', '\0']);
            let value = std::env::var_os(name)
                .filter(|_| is_name)
                .ok_or_else(|| Failure::usage(format!("{shown} is not set")))?;
            (
                value
                    .into_string()
                    .map_err(|_| Failure::usage(format!("{shown} is not UTF-8 text")))?,
                shown,
            )
        }
        None => {
            let mut line = String::new();
            std::io::stdin()
                .lock()
                .read_line(&mut line)
                .map_err(|error| Failure::new(Code::Usage, error))?;
            (line, "standard input".to_owned())
        }
    };
    let secret = Zeroizing::new(secret);
    let hint = format!("{flag} NAME, or give it on standard input");
    clean_secret(&secret).map_err(|cause| Failure::usage(format!("{source} {cause}")).hint(hint))
}
