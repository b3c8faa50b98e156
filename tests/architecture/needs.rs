//! What a file brings in, shows on, and names in its code, read from its tokens.

pub(super) type Path = Vec<String>;

/// What `use` brings into a file: where it stands, and by which name it is known here.
pub(super) struct Import {
    pub(super) path: Path,
    pub(super) name: String,
}

/// A file, as far as it says which others it needs.
pub(super) struct File {
    pub(super) imports: Vec<Import>,
    /// What it shows on to others.
    pub(super) reexports: Vec<Import>,
    /// Everything but that.
    pub(super) code: Vec<String>,
}

/// Where the path ends that begins at a token; just behind the token when it is none.
pub(super) fn path_end(tokens: &[String], start: usize) -> usize {
    let is_word = |index: usize| {
        tokens
            .get(index)
            .is_some_and(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
    };
    if !is_word(start) || start > 0 && tokens[start - 1] == "::" {
        return start + 1;
    }
    let mut end = start + 1;
    while tokens.get(end).is_some_and(|next| next == "::") && is_word(end + 1) {
        end += 2;
    }
    end
}

/// The tokens without modules that are for tests only, and the names of those that are files.
pub(super) fn without_tests(tokens: &[String]) -> (Vec<String>, Vec<String>) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut files, mut index) = (Vec::new(), Vec::new(), 0);
    while index < tokens.len() {
        let is_marked = tokens[index..]
            .iter()
            .zip(MARK)
            .filter(|(token, mark)| *token == mark)
            .count()
            == MARK.len();
        let word = if is_marked {
            skip_visibility(tokens, index + MARK.len())
        } else {
            index
        };
        if is_marked && tokens.get(word).is_some_and(|token| token == "mod") {
            if tokens[word + 2] == ";" {
                files.push(tokens[word + 1].clone());
                index = word + 3;
            } else {
                index = closing(tokens, word + 2) + 1;
            }
            continue;
        }
        kept.push(tokens[index].clone());
        index += 1;
    }
    (kept, files)
}

/// Where a `pub`, or `pub(...)`, is behind one.
fn skip_visibility(tokens: &[String], start: usize) -> usize {
    match (
        tokens.get(start).map(String::as_str),
        tokens.get(start + 1).map(String::as_str),
    ) {
        (Some("pub"), Some("(")) => closing(tokens, start + 1) + 1,
        (Some("pub"), _) => start + 1,
        _ => start,
    }
}

/// The bracket that closes the one at `open`.
fn closing(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len() - 1
}

pub(super) fn file(tokens: &[String]) -> File {
    let mut file = File {
        imports: Vec::new(),
        reexports: Vec::new(),
        code: Vec::new(),
    };
    let mut index = 0;
    while index < tokens.len() {
        let word = skip_visibility(tokens, index);
        match tokens.get(word).map(String::as_str) {
            Some("use") if word == index => {
                index = read_use(tokens, word + 1, &mut Vec::new(), &mut file.imports)
            }
            Some("use") => index = read_use(tokens, word + 1, &mut Vec::new(), &mut file.reexports),
            // A declaration takes nothing from the child.
            Some("mod") if tokens.get(word + 2).is_some_and(|next| next == ";") => index = word + 3,
            _ => {
                file.code.push(tokens[index].clone());
                index += 1;
            }
        }
    }
    file
}

/// Reads one branch of a `use`, and answers where it ends.
fn read_use(tokens: &[String], start: usize, before: &mut Path, found: &mut Vec<Import>) -> usize {
    let (depth, mut index) = (before.len(), start);
    loop {
        match tokens[index].as_str() {
            "::" => index += 1,
            "{" => {
                index += 1;
                while tokens[index] != "}" {
                    index = read_use(tokens, index, before, found);
                    index += usize::from(tokens[index] == ",");
                }
                index += 1;
                break;
            }
            "as" => {
                found.push(Import {
                    path: before.clone(),
                    name: tokens[index + 1].clone(),
                });
                index += 2;
                break;
            }
            "," | "}" | ";" => {
                let mut path = before.clone();
                path.pop_if(|last| last == "self");
                found.extend(path.last().cloned().map(|name| Import { path, name }));
                break;
            }
            word => {
                before.push(word.to_owned());
                index += 1;
            }
        }
    }
    before.truncate(depth);
    index
}
