//! The root key in a real PKCS#11 library: SoftHSM2.

use std::{path::Path, process::Command};

use yj_hsm::{Pkcs11RootKey, Place};
use yj_kernel::RootKey as _;

const LIBRARIES: [&str; 2] =
    ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];

#[test]
fn g_10_1_the_root_key_lives_in_a_device_and_never_leaves_it() {
    let Some(library) = LIBRARIES.into_iter().find(|path| Path::new(path).exists()) else {
        panic!("SoftHSM2 is not installed: apt-get install softhsm2");
    };
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let settings = folder.path().join("softhsm2.conf");
    std::fs::write(&settings, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    // The library reads its settings from the environment of the process that loads it.
    if std::env::var_os("SOFTHSM2_CONF").is_none() {
        let own = std::env::current_exe().unwrap();
        let output =
            Command::new(own).env("SOFTHSM2_CONF", &settings).arg("--nocapture").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let settings = std::env::var("SOFTHSM2_CONF").unwrap();
    let made = Command::new("softhsm2-util")
        .env("SOFTHSM2_CONF", settings)
        .args([
            "--init-token",
            "--free",
            "--label",
            "yuanjian",
            "--pin",
            "1234",
            "--so-pin",
            "5678",
        ])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let place = Place {
        library: library.into(),
        token: String::from("yuanjian"),
        key: String::from("yj-root"),
    };
    assert!(Pkcs11RootKey::open(&place, "wrong").is_err());
    let elsewhere = Place { token: String::from("another"), ..place.clone() };
    assert!(Pkcs11RootKey::open(&elsewhere, "1234").err().unwrap().contains("没有令牌"));
    let root = Pkcs11RootKey::open(&place, "1234").unwrap();
    assert!(root.module().contains("SoftHSM"), "{}", root.module());
    let wrapped = root.wrap([7; 12], &[9; 16]).unwrap();
    assert!(!wrapped.windows(16).any(|window| window == [9; 16]));
    assert_eq!(root.unwrap(&wrapped).unwrap().expose(), &[9; 16]);
    for at in 0..wrapped.len() {
        let mut other = wrapped.clone();
        other[at] ^= 1;
        assert!(root.unwrap(&other).is_err(), "byte {at}");
    }
    // The same key is found again, not made again.
    drop(root);
    let again = Pkcs11RootKey::open(&place, "1234").unwrap();
    assert_eq!(again.unwrap(&wrapped).unwrap().expose(), &[9; 16]);
}
