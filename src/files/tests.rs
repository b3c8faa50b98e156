//! Private files, tried on a real folder: links, pipes and files of somebody else in the way.

use super::*;

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().mode() & 0o777
}

#[test]
fn what_is_made_is_private_and_what_was_wide_becomes_private() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    make_folder(&inner).unwrap();
    assert_eq!(
        (mode(&inner), mode(inner.parent().unwrap())),
        (0o700, 0o700)
    );
    let file = inner.join("x");
    std::fs::write(&file, "before").unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let opened = open_own(&file).unwrap();
    assert_eq!(
        mode(&file),
        0o644,
        "whoever opens it may find that it is not ours after all"
    );
    make_private(&opened).unwrap();
    assert_eq!(
        (
            mode(&file),
            std::fs::read_to_string(&file).unwrap().as_str()
        ),
        (0o600, "before")
    );
    replace(&file, b"after").unwrap();
    assert_eq!(
        (
            mode(&file),
            std::fs::read_to_string(&file).unwrap().as_str()
        ),
        (0o600, "after")
    );
    assert!(create(&file, b"again").is_err(), "nothing is written over");
    assert_eq!(
        std::fs::read_dir(&inner).unwrap().count(),
        1,
        "nothing is left behind"
    );
}

#[test]
fn links_folders_and_pipes_are_left_alone_and_nobody_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (victim, link, dangling) = (
        folder.path().join("victim"),
        folder.path().join("link"),
        folder.path().join("dangling"),
    );
    std::fs::write(&victim, "precious").unwrap();
    std::fs::set_permissions(&victim, Permissions::from_mode(0o644)).unwrap();
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    std::os::unix::fs::symlink(folder.path().join("nowhere"), &dangling).unwrap();
    let hard = folder.path().join("hard");
    std::fs::hard_link(&victim, &hard).unwrap();
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for path in [&link, &dangling, &hard, &pipe, &folder.path().to_owned()] {
        assert!(open_own(path).is_err(), "{}", path.display());
        assert!(replace(path, b"x").is_err(), "{}", path.display());
        assert!(remove_socket(path).is_err(), "{}", path.display());
    }
    assert!(
        open_own(&link)
            .unwrap_err()
            .to_string()
            .contains("symbolic link")
    );
    assert_eq!(
        (
            mode(&victim),
            std::fs::read_to_string(&victim).unwrap().as_str()
        ),
        (0o644, "precious")
    );
    assert!(!folder.path().join("nowhere").exists());
    assert!(read_text(&pipe, 10).is_err() && read_text(folder.path(), 10).is_err());
    assert_eq!(
        read_text(&link, 10).unwrap(),
        "precious",
        "secrets may be links"
    );
    assert!(read_text(&link, 3).is_err());
}

#[test]
fn somebody_elses_file_is_named_with_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("theirs");
    std::fs::write(&file, "theirs").unwrap();
    // Only root can give a file away; another user has a file of root at hand.
    let theirs = if nix::unistd::geteuid().is_root() {
        nix::unistd::chown(&file, Some(nix::unistd::Uid::from_raw(65_534)), None).unwrap();
        file
    } else {
        PathBuf::from("/etc/passwd")
    };
    let before = std::fs::read_to_string(&theirs).unwrap();
    // As anybody but root meets it, for a key, a configuration, a log.
    let refused = with_owner(&theirs, Error::from_raw_os_error(nix::libc::EACCES));
    assert!(
        refused.kind() == ErrorKind::PermissionDenied
            && refused.to_string().contains("belongs to user"),
        "{refused}"
    );
    let told = open_own(&theirs).unwrap_err().to_string();
    assert!(told.contains("belongs to user"), "{told}");
    assert!(
        replace(&theirs, b"x")
            .unwrap_err()
            .to_string()
            .contains("belongs to user")
    );
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), before);
}
