//! What settings mean, and which are refused.

use ::api::ForwardedBy;

use super::*;

fn config(pairs: &[(&str, &str)]) -> Result<Config, Complaints> {
    Config::from_values(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
}

#[test]
fn links_are_handed_out_for_an_address_that_browsers_can_trust() {
    let told = |kind, url| {
        let lines = config(&[("MEMALERTS_ENV", kind), ("PUBLIC_BASE_URL", url)]).map_or_else(|it| it.lines, |_| vec![]);
        lines.iter().any(|line| line.starts_with("PUBLIC_BASE_URL must be"))
    };
    for good in
        ["https://memes.example/", "https://memes.example:8443/of/us", "http://localhost:8080", "http://127.0.0.1"]
    {
        assert!(!told("prod", good), "{good}");
    }
    for bad in [
        "memes.example",
        "https://",
        "https://u:p@memes.example",
        "https://u@memes.example",
        "https://x.example/?a=b",
        "ftp://x.example",
    ] {
        assert!(told("prod", bad) && told("dev", bad), "{bad}");
    }
    assert!(told("prod", "http://memes.example") && !told("dev", "http://memes.example"));
}

#[test]
fn an_empty_environment_is_production_and_lists_every_missing_secret_at_once() {
    let text = config(&[]).unwrap_err().to_string();
    assert!(text.contains("MEMALERTS_SECRET is not set"), "{text}");
    assert!(text.contains("MEMALERTS_INTERNAL_SECRET is not set"), "{text}");
    assert!(text.contains("MEMALERTS_DATA_KEY is not set") && text.contains("`openssl rand -hex 32`"), "{text}");
    assert!(text.contains("MEMALERTS_ENV is not set, which means prod"), "{text}");
    assert!(text.contains("MEMALERTS_ENV=dev"), "{text}");
    assert!(text.starts_with("the environment has 3 problems"), "the hint is no problem: {text}");
}

#[test]
fn an_unknown_environment_is_the_one_problem_as_the_others_depend_on_it() {
    let Complaints { lines, hint } = config(&[("MEMALERTS_ENV", "production")]).unwrap_err();
    assert_eq!(lines, [r#"MEMALERTS_ENV must be dev, beta or prod, not "production""#]);
    assert!(hint.unwrap().contains("need MEMALERTS_SECRET and MEMALERTS_INTERNAL_SECRET and"));
}

#[test]
fn a_log_level_that_is_none_is_refused_with_the_rest() {
    for level in ["lala", "info,lala", "info,sqlx=lala", "verbose=lala"] {
        let Complaints { lines, .. } =
            config(&[("MEMALERTS_ENV", "dev"), ("LOG_LEVEL", level), ("PORT", "x")]).unwrap_err();
        assert!(lines.len() == 2 && lines[1].starts_with("LOG_LEVEL must be a level"), "{lines:?}");
    }
    for level in ["info", "WARN", "off", "info,sqlx=debug", "sqlx=debug, api=trace"] {
        config(&[("MEMALERTS_ENV", "dev"), ("LOG_LEVEL", level)]).unwrap_or_else(|no| panic!("{level}: {no}"));
    }
}

#[test]
fn every_setting_says_what_is_in_effect_and_from_where_without_secrets() {
    let values = [
        ("MEMALERTS_ENV", "dev"),
        ("PORT", " 99 "),
        ("DATABASE_URL", "postgres://me:geheim@db/x?password=geheim"),
        ("CHATBOT_BACKEND_BASE_URLS", "http://a:1,https://me:geheim@b/"),
    ];
    let settings = Config::settings_from_values(values.map(|(k, v)| (k.to_owned(), v.to_owned()))).unwrap();
    let shown = |name: &str| {
        let setting = settings.iter().find(|setting| setting.name == name).unwrap();
        (setting.value.as_deref(), setting.source)
    };
    assert_eq!(shown("PORT"), (Some("99"), Source::Environment));
    assert_eq!(shown("PUBLIC_BASE_URL"), (Some("http://localhost:99"), Source::Default));
    assert_eq!(shown("DATABASE_URL"), (Some("postgres://me:***@db/x"), Source::Environment));
    assert_eq!(shown("CHATBOT_BACKEND_BASE_URLS").0, Some("http://a:1,https://me:***@b/"));
    assert_eq!(shown("CHAT_BOT_OAUTH_TOKEN"), (Some("[secret]"), Source::Default));
    let unknown: Vec<_> = settings.iter().filter(|setting| setting.value.is_none()).collect();
    assert!(unknown.is_empty(), "in dev everything has a default: {unknown:?}");
}

#[test]
fn dev_needs_nothing_and_listens_on_loopback() {
    let config = config(&[("MEMALERTS_ENV", "dev")]).unwrap();
    assert_eq!(config.http.socket_address().to_string(), "127.0.0.1:8080");
}

#[test]
fn dev_refuses_an_address_that_others_can_reach() {
    let text = config(&[("MEMALERTS_ENV", "dev"), ("LISTEN_ADDRESS", "0.0.0.0")]).unwrap_err().to_string();
    assert!(text.contains("loopback only"), "{text}");
}

#[test]
fn origins_are_written_as_browsers_write_them() {
    let told = |environment, list| config(&[("MEMALERTS_ENV", environment), ("CORS_ORIGINS", list)]);
    let good = told("dev", "https://panel.example, http://localhost:5173").unwrap();
    assert_eq!(good.http.cors_origins, ["https://panel.example", "http://localhost:5173"]);
    for wrong in [
        "*",
        "null",
        "panel.example",
        "https://panel.example/",
        "https://Panel.example",
        "https://x:443",
        "https://*.x",
        "ws://x",
    ] {
        let Complaints { lines, .. } = told("dev", wrong).unwrap_err();
        assert!(lines[0].starts_with("CORS_ORIGINS must hold origins"), "{wrong}: {lines:?}");
    }
    let text = told("prod", "http://localhost:5173").unwrap_err().to_string();
    assert!(text.contains("CORS_ORIGINS must hold origins"), "{text}");
}

#[test]
fn proxies_are_addresses_or_networks() {
    let told = |list| config(&[("MEMALERTS_ENV", "dev"), ("TRUSTED_PROXIES", list)]);
    assert_eq!(told("127.0.0.1, 10.0.0.0/8,2001:db8::/32").unwrap().http.trusted_proxies.len(), 3);
    for wrong in ["proxy.example", "10.0.0.0/33", "10.0.0", "*"] {
        let Complaints { lines, .. } = told(wrong).unwrap_err();
        assert!(lines[0].starts_with("TRUSTED_PROXIES must hold"), "{wrong}: {lines:?}");
    }
    for wide in ["0.0.0.0/0", "::/0", "10.0.0.1,128.0.0.0/1"] {
        let lines = told(wide).unwrap_err().lines;
        assert!(lines[0].starts_with("TRUSTED_PROXIES must not hold"), "{wide}: {lines:?}");
    }
    let told = |header| config(&[("MEMALERTS_ENV", "dev"), ("TRUSTED_PROXY_HEADER", header)]);
    assert_eq!(told("Forwarded").unwrap().http.trusted_proxy_header, ForwardedBy::Forwarded);
    assert_eq!(told("").unwrap().http.trusted_proxy_header, ForwardedBy::XForwardedFor);
    assert!(told("x-real-ip").unwrap_err().lines[0].starts_with("TRUSTED_PROXY_HEADER must be"));
}

#[test]
fn all_problems_are_told_together() {
    let Complaints { lines, .. } = config(&[
        ("MEMALERTS_ENV", "dev"),
        ("PORT", "99999"),
        ("MAX_UPLOAD_BYTES", "much"),
        ("DATABASE_URL", "mysql://x:geheim@h/d"),
    ])
    .unwrap_err();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(!format!("{lines:?}").contains("geheim"));
}

#[test]
fn a_mail_server_has_a_sender_and_its_password_is_not_shown() {
    let url = ("SMTP_URL", "smtp://me:geheim@mail.example:2525");
    let dev = ("MEMALERTS_ENV", "dev");
    let settings = Config::settings_from_values([dev, url].map(|(k, v)| (k.to_owned(), v.to_owned()))).unwrap();
    let shown = settings.iter().find(|setting| setting.name == "SMTP_URL").unwrap();
    assert_eq!(shown.value.as_deref(), Some("smtp://mail.example:2525"));
    let text = config(&[("MEMALERTS_ENV", "prod"), url]).unwrap_err().to_string();
    assert!(text.contains("MAIL_FROM is not set"), "{text}");
    let text = config(&[dev, ("SMTP_URL", "http://me:geheim@x"), ("MAIL_FROM", "us")]).unwrap_err().to_string();
    assert!(text.contains("SMTP_URL must be smtp://") && text.contains("MAIL_FROM must be"), "{text}");
    assert!(!text.contains("geheim"), "{text}");
}

#[test]
fn half_a_platform_is_a_complaint_that_names_the_other_half() {
    let told = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = [("MEMALERTS_ENV", "dev")].iter().chain(pairs).copied().collect();
        config(&pairs).map_err(|complaints| complaints.lines)
    };
    for (half, line) in [
        (vec![("KICK_CLIENT_ID", "x")], "KICK_CLIENT_ID without KICK_CLIENT_SECRET: set all or none"),
        (vec![("VK_CLIENT_SECRET", "x")], "VK_CLIENT_SECRET without VK_CLIENT_ID: set all or none"),
        (
            vec![("OIDC_CLIENT_ID", "x"), ("OIDC_CLIENT_SECRET", "y")],
            "OIDC_CLIENT_ID and OIDC_CLIENT_SECRET without OIDC_URL: set all or none",
        ),
    ] {
        assert_eq!(told(&half).unwrap_err(), [line]);
    }
    told(&[("KICK_CLIENT_ID", "x"), ("KICK_CLIENT_SECRET", "y")]).unwrap();
}

#[test]
fn a_misspelt_setting_is_told_with_the_name_that_is_nearest() {
    let given = [
        ("MEMALERTS_ENV", "dev"),
        ("MEMALERTS_DATE_KEY", "x"),
        ("MEMALERTS_WHATEVER_ELSE", "x"),
        ("RATE_LIMIT_PER_MINTE", "5"),
        ("PROT", "1"),
        ("PATH", "/bin"),
    ];
    let mut reader = Reader::new(given.map(|(name, value)| (name.to_owned(), value.to_owned())));
    drop(Config::read(&mut reader));
    assert_eq!(
        reader.unknown(),
        [
            "MEMALERTS_DATE_KEY is no setting, MEMALERTS_DATA_KEY is",
            "MEMALERTS_WHATEVER_ELSE is no setting",
            "RATE_LIMIT_PER_MINTE is no setting, RATE_LIMIT_PER_MINUTE is",
        ]
    );
}

#[test]
fn a_setting_is_known_by_its_plural_without_a_word_of_it_and_without_our_name() {
    for (name, meant) in [
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("PUBLIC_URL", "PUBLIC_BASE_URL"),
        ("MEMALERTS_DATABASE_URL", "DATABASE_URL"),
        ("DATA_KEY", "MEMALERTS_DATA_KEY"),
        ("memalerts_data_key", "MEMALERTS_DATA_KEY"),
        ("GITHUB_SERVER_URL", ""),
        ("GITHUB_TOKEN", ""),
        ("SECRET", ""),
        ("HOSTNAME", ""),
        ("DATA_DIR", "MEMALERTS_DATA_DIR"),
    ] {
        let given = [("MEMALERTS_ENV", "dev"), (name, "x")];
        let mut reader = Reader::new(given.map(|(name, value)| (name.to_owned(), value.to_owned())));
        drop(Config::read(&mut reader));
        let told = reader.unknown();
        let expected = if meant.is_empty() { vec![] } else { vec![format!("{name} is no setting, {meant} is")] };
        assert_eq!(told, expected, "{name}");
    }
}

#[test]
fn what_was_set_in_the_place_of_what_is_missing_stands_in_the_same_line() {
    let lines = config(&[("MEMALERTS_ENV", "prod"), ("MEMALERTS_SECRETS", "geheim")]).unwrap_err().lines;
    let line = lines.iter().find(|line| line.starts_with("MEMALERTS_SECRET is not set")).unwrap();
    assert!(line.ends_with("; MEMALERTS_SECRETS is set, which is no setting: is it meant?"), "{line}");
    assert_eq!(lines.iter().filter(|line| line.contains("is it meant?")).count(), 1, "{lines:?}");
    assert!(!format!("{lines:?}").contains("geheim"));
}

#[test]
fn a_bucket_has_a_name_and_keys_and_its_secret_is_not_shown() {
    let told = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = [("MEMALERTS_ENV", "dev")].iter().chain(pairs).copied().collect();
        config(&pairs).map_err(|complaints| complaints.lines)
    };
    let keys = [("S3_BUCKET", "memes"), ("S3_ACCESS_KEY_ID", "AKIA"), ("S3_SECRET_ACCESS_KEY", "geheim")];
    let at = |endpoint| [&keys[..], &[("UPLOAD_STORAGE", "s3"), ("S3_ENDPOINT", endpoint)]].concat();
    let config = told(&at("https://s3.example")).unwrap();
    assert!(!format!("{config:?} {:?}", config.uploads.bucket.as_ref().unwrap().settings()).contains("geheim"));
    let bucket = config.uploads.bucket.unwrap();
    assert!(bucket.path_style && bucket.settings().secret_access_key == "geheim");
    // The other settings may stay while files are on disk.
    assert!(told(&keys).unwrap().uploads.bucket.is_none());

    let lines = told(&[("UPLOAD_STORAGE", "s3"), ("S3_PATH_STYLE", "perhaps"), ("MEDIA_URLS", "cdn")]).unwrap_err();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(told(&[("UPLOAD_STORAGE", "nfs")]).unwrap_err(), [r#"UPLOAD_STORAGE must be local or s3, not "nfs""#]);
    assert!(told(&[("MEDIA_URLS", "presigned")]).unwrap_err()[0].contains("needs UPLOAD_STORAGE=s3"));
    for wrong in ["s3.example", "ftp://s3.example", "https://s3.example/bucket", "https://a:geheim@s3.example"] {
        let lines = told(&at(wrong)).unwrap_err();
        assert!(lines[0].starts_with("S3_ENDPOINT must be") && !format!("{lines:?}").contains("geheim"), "{lines:?}");
    }
    assert!(told(&at("http://s3.example")).unwrap_err()[0].contains("in the open"));
    told(&[&at("http://s3.example")[..], &[("S3_ALLOW_HTTP", "true")]].concat()).unwrap();
    told(&at("http://127.0.0.1:9000")).unwrap();
}

#[test]
fn a_data_key_that_is_none_is_refused_without_being_told() {
    let complaint = config(&[("MEMALERTS_ENV", "dev"), ("MEMALERTS_DATA_KEY", "hunter2")]).unwrap_err().to_string();
    assert!(complaint.contains("MEMALERTS_DATA_KEY must have 64 hexadecimal digits"), "{complaint}");
    assert!(!complaint.contains("hunter2"), "{complaint}");
    let given = config(&[("MEMALERTS_ENV", "dev"), ("MEMALERTS_DATA_KEY_OLD", &"0f".repeat(32))]).unwrap();
    assert_eq!((given.secrets.data.is_none(), given.secrets.old_data.unwrap().expose()), (true, &[0x0f; 32]));
}

#[test]
fn outside_of_dev_a_secret_that_is_guessed_or_used_twice_is_refused_without_being_told() {
    let good = ["7f4c1be09a52d86e3c90f7a1b5de2846", "c2d95e8b07f3416ab8e1d4709f5c63a2"];
    let key = "91e6b3d80f5a27c44d8fe1069ab7530c2ec8f49d17b06a53e5d2840b9f6c71a8";
    let names = ["MEMALERTS_SECRET", "MEMALERTS_INTERNAL_SECRET", "MEMALERTS_DATA_KEY", "MEMALERTS_DATA_KEY_OLD"];
    let told = |environment, values: [&str; 4]| {
        let values: Vec<_> = names.into_iter().zip(values).chain([("MEMALERTS_ENV", environment)]).collect();
        config(&values).map(drop).map_err(|complaints| complaints.lines)
    };
    assert_eq!(told("prod", [good[0], good[1], key, ""]), Ok(()));
    let weak = ["s".repeat(32), "please-keep-this-SECRET-by-all-means-1x9q".to_owned(), "01".repeat(32)];
    let lines = told("beta", [&weak[0], &weak[1], &weak[2], &weak[2]]).unwrap_err();
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, (name, why)) in lines.iter().zip(names.into_iter().zip([
        "repeats itself",
        "the word",
        "repeats itself",
        "the same as MEMALERTS_DATA_KEY:",
    ])) {
        assert!(line.starts_with(name) && line.contains(why), "{line}");
    }
    assert!(weak.iter().all(|weak| !format!("{lines:?}").contains(weak)), "{lines:?}");
    let twice = told("prod", [key, key, &key.to_uppercase(), ""]).unwrap_err();
    assert_eq!(twice.len(), 2, "{twice:?}");
    assert_eq!(told("dev", [&weak[0], &weak[0], &weak[2], &weak[2]]), Ok(()));
}

#[test]
fn keys_that_are_lost_are_named_by_their_ids() {
    let told = |ids| config(&[("MEMALERTS_ENV", "dev"), ("MEMALERTS_LOST_DATA_KEYS", ids)]);
    let ids = told("0a1b2c3d, ffffffff").unwrap().secrets.lost_data_keys;
    assert_eq!(ids.iter().map(ToString::to_string).collect::<Vec<_>>(), ["0a1b2c3d", "ffffffff"]);
    for wrong in ["0a1b2c3", "all", "0a1b2c3d;ffffffff"] {
        let Complaints { lines, .. } = told(wrong).unwrap_err();
        assert!(lines[0].starts_with("MEMALERTS_LOST_DATA_KEYS must have ids"), "{lines:?}");
    }
}

#[test]
fn a_printed_configuration_shows_no_secret() {
    let secrets = ["7f4c1be09a52d86e3c90f7a1b5de2846", "c2d95e8b07f3416ab8e1d4709f5c63a2"];
    let key = "91e6b3d80f5a27c44d8fe1069ab7530c2ec8f49d17b06a53e5d2840b9f6c71a8";
    let config = config(&[
        ("MEMALERTS_SECRET", secrets[0]),
        ("MEMALERTS_INTERNAL_SECRET", secrets[1]),
        ("MEMALERTS_DATA_KEY", key),
        ("DATABASE_URL", "postgres://me:geheim@db/x"),
    ])
    .unwrap();
    let shown = format!("{config:?}");
    assert!(
        secrets.iter().all(|secret| !shown.contains(secret)) && !shown.contains(key) && !shown.contains("geheim"),
        "{shown}"
    );
}

#[test]
fn a_secret_of_webhooks_that_is_guessed_is_refused_outside_of_dev() {
    let told = |environment, secret: &str| {
        let mut values = vec![
            ("MEMALERTS_SECRET", "7f4c1be09a52d86e3c90f7a1b5de2846"),
            ("MEMALERTS_INTERNAL_SECRET", "c2d95e8b07f3416ab8e1d4709f5c63a2"),
            ("MEMALERTS_DATA_KEY", "91e6b3d80f5a27c44d8fe1069ab7530c2ec8f49d17b06a53e5d2840b9f6c71a8"),
        ];
        values.extend([("MEMALERTS_ENV", environment), ("TWITCH_EVENTSUB_SECRET", secret)]);
        config(&values).map(drop).map_err(|complaints| complaints.lines)
    };
    for weak in ["0123456789", "aaaaaaaaaaaaaaaaaaaaaaaa", "my-secret-of-webhooks-91e6b3d80f5a"] {
        let lines = told("prod", weak).unwrap_err();
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert!(line.starts_with("TWITCH_EVENTSUB_SECRET ") && !line.contains(weak), "{line}");
        assert_eq!(told("dev", weak), Ok(()));
    }
    assert_eq!(told("prod", "91e6b3d80f5a27c44d8fe1069ab7530c"), Ok(()));
}
