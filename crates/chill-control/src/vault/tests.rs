//! Sealing: what belongs together opens, nothing else does.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn masters(text: &str) -> Result<MasterKeys, VaultError> {
    MasterKeys::parse(&Secret::new(text))
}

fn vault(bytes: &[u8]) -> Vault {
    let text: Vec<_> = bytes.iter().map(|byte| data_encoding::BASE64.encode(&[*byte; 32])).collect();
    Vault::new(&masters(&text.join(",")).unwrap())
}

fn id(text: &str) -> KeyId {
    text.parse().unwrap()
}

const TB: StoreCode = StoreCode::TorBox;

#[test]
fn a_sealed_key_opens_in_its_row_alone() {
    let vault = vault(&[1]);
    let sealed = vault.seal(&id("a"), TB, &Secret::new("the key"), &Chance::System).unwrap();
    assert_eq!(vault.open(&id("a"), TB, &sealed).unwrap().expose(), "the key");
    assert!(matches!(vault.open(&id("b"), TB, &sealed), Err(VaultError::Broken)));
    assert!(matches!(vault.open(&id("a"), StoreCode::RealDebrid, &sealed), Err(VaultError::Broken)));
    let again = vault.seal(&id("a"), TB, &Secret::new("the key"), &Chance::System).unwrap();
    assert_ne!(sealed, again, "no nonce comes twice");
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let vault = vault(&[1]);
    let sealed = vault.seal(&id("a"), TB, &Secret::new("the key"), &Chance::System).unwrap();
    for at in 0..sealed.blob.len() {
        let mut blob = sealed.blob.clone();
        blob[at] ^= 1;
        assert!(vault.open(&id("a"), TB, &SealedKey { blob, by: sealed.by.clone() }).is_err(), "byte {at}");
        let blob = sealed.blob[..at].to_vec();
        assert!(vault.open(&id("a"), TB, &SealedKey { blob, by: sealed.by.clone() }).is_err(), "cut at {at}");
    }
}

#[test]
fn the_first_master_seals_and_all_open() {
    let (old, both, new) = (vault(&[1]), vault(&[2, 1]), vault(&[2]));
    let sealed = old.seal(&id("a"), TB, &Secret::new("the key"), &Chance::System).unwrap();
    assert!(matches!(new.open(&id("a"), TB, &sealed), Err(VaultError::WrongMaster)));
    assert_eq!(both.open(&id("a"), TB, &sealed).unwrap().expose(), "the key");
    assert!(both.knows(old.current()) && both.knows(new.current()) && !new.knows(old.current()));
    let resealed = both.seal(&id("a"), TB, &Secret::new("the key"), &Chance::System).unwrap();
    assert!(new.open(&id("a"), TB, &resealed).is_ok());
    assert_eq!(resealed.by, new.current());
    let check = old.check(&Chance::System).unwrap();
    assert!(old.recognises(&check) && both.recognises(&check) && !new.recognises(&check));
}

#[test]
fn masters_are_read_in_every_form_of_base64() {
    let bytes = [0xfb; 32];
    let forms = [
        data_encoding::BASE64.encode(&bytes),
        data_encoding::BASE64_NOPAD.encode(&bytes),
        data_encoding::BASE64URL.encode(&bytes),
        format!(" {}\n", data_encoding::BASE64URL_NOPAD.encode(&bytes)),
    ];
    let versions: Vec<_> = forms.iter().map(|form| Vault::new(&masters(form).unwrap()).current().to_owned()).collect();
    assert!(versions.iter().all(|version| *version == versions[0] && version.len() == 8));
    for wrong in ["", ",", "short", &data_encoding::BASE64.encode(&[1; 31]), &"A".repeat(45)] {
        let said = masters(wrong).unwrap_err().to_string();
        assert!(said.contains("32 bytes in base64") && !said.contains("short"), "{said}");
    }
}

#[test]
fn a_file_is_made_once_and_is_its_owners_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data").join("master.key");
    let (made, fresh) = Vault::load_or_create(&path, &Chance::System).unwrap();
    let (read, again) = Vault::load_or_create(&path, &Chance::System).unwrap();
    assert!(fresh && !again);
    assert_eq!(made.current(), read.current());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    std::fs::write(&path, "nonsense").unwrap();
    assert!(matches!(Vault::load_or_create(&path, &Chance::System), Err(VaultError::InvalidMaster)));
}

#[test]
fn nothing_shows_a_secret() {
    let vault = vault(&[1]);
    let sealed = vault.seal(&id("a"), TB, &Secret::new("the key"), &Chance::System).unwrap();
    let masters = masters(&data_encoding::BASE64.encode(&[1; 32])).unwrap();
    assert_eq!(format!("{vault:?} {sealed:?} {masters:?}"), "Vault(…) SealedKey(…) MasterKeys(…)");
}

#[test]
fn each_master_has_a_secret_of_links_that_is_none_of_the_pools() {
    let secrets =
        |vault: &Vault| vault.link_secrets().iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>();
    let (old, both, new) = (vault(&[1]), vault(&[2, 1]), vault(&[2]));
    assert_eq!(secrets(&both), [secrets(&new), secrets(&old)].concat());
    assert_ne!(secrets(&new), secrets(&old));
    assert_eq!(secrets(&old)[0].len(), 64);
    assert!(!secrets(&old)[0].contains(old.current()));
}
