//! Data files: those of large objects come and go with them.

use std::path::Path;
use std::time::Duration;

use rolecall_wire::{ByteStream, SpoolFile, Value};

use crate::block_on;
use crate::client::{Client, body, object, with};

fn files(folder: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        count += if entry.file_type().unwrap().is_dir() {
            files(&entry.path())
        } else {
            1
        };
    }
    count
}

#[test]
fn readers_go_on_when_the_object_is_gone() {
    block_on(async {
        let client = Client::new().await;
        let folder = client.folder.path().join("objects");
        let large = "x".repeat(100_000);
        client.put("k", &large).await;
        assert_eq!(files(&folder), 1);
        let reading = client.call("GetObject", object("k")).await.unwrap();
        client.put("k", "small").await;
        client.call("DeleteObject", object("k")).await.unwrap();
        assert_eq!(body(&reading), large);
        drop(reading);
        assert_eq!(files(&folder), 0);
    });
}

#[test]
fn a_spooled_body_is_moved_into_place() {
    block_on(async {
        let client = Client::new().await;
        let spooled = client.folder.path().join("body-1");
        std::fs::write(&spooled, vec![b'y'; 50_000]).unwrap();
        let stream = ByteStream::from_file(SpoolFile::temporary(&spooled), 0, 50_000);
        client
            .call("PutObject", with(object("k"), [("Body", Value::Stream(stream))]))
            .await
            .unwrap();
        assert!(!spooled.exists());
        assert_eq!(client.get("k").await, "y".repeat(50_000));
    });
}

#[test]
fn orphans_are_swept_and_objects_stay() {
    block_on(async {
        let client = Client::new().await;
        let folder = client.folder.path().join("objects");
        client.put("k", &"x".repeat(100_000)).await;
        std::fs::create_dir_all(folder.join("00")).unwrap();
        let orphan = folder.join("00").join("00000000000000000000000000000000");
        std::fs::write(&orphan, b"left by a crash").unwrap();
        let client = client.reopened().await;
        for _ in 0..200 {
            if !orphan.exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!orphan.exists());
        assert_eq!(client.get("k").await.len(), 100_000);
        // A refused body leaves nothing behind.
        let before = files(&folder);
        let wrong = with(
            object("k"),
            [
                ("Body", Value::Stream(ByteStream::from(vec![b'z'; 50_000]))),
                ("ContentMD5", "1B2M2Y8AsgTpgAmY7PhCfg==".into()),
            ],
        );
        assert_eq!(client.code("PutObject", wrong).await, "BadDigest");
        assert_eq!(files(&folder), before);
    });
}
