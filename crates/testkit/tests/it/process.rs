//! The process harness, with a shell script in the binary's place.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rolecall_testkit::{ServerError, ServerOptions, ServerProcess};
use tokio::net::TcpListener;

/// A stand-in that writes its arguments to the data folder and prints the ready line for `PORT`.
const SCRIPT: &str = r#"#!/bin/sh
trap 'exit 7' TERM
echo "$@" >> "$5/arguments"
echo "starting" >&2
echo "listening on http://127.0.0.1:$PORT"
while :; do sleep 0.02; done
"#;

fn script(folder: &Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("stand-in");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn a_server_is_started_killed_and_restarted_on_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let options = ServerOptions {
        binary: Some(script(folder.path(), SCRIPT)),
        arguments: vec!["--region".into(), "eu-west-1".into()],
        environment: vec![("PORT".into(), port.to_string().into())],
        ..ServerOptions::default()
    };
    let mut server = ServerProcess::start_with(options).await.unwrap();
    assert_eq!(server.address().port(), port);
    let first = server.process_id().unwrap();
    server.kill().await.unwrap();
    assert!(matches!(server.kill().await, Err(ServerError::NotRunning)));
    server.restart().await.unwrap();
    assert_ne!(server.process_id().unwrap(), first);
    assert_eq!(server.terminate().await.unwrap().code(), Some(7));
    let arguments = std::fs::read_to_string(server.data_folder().join("arguments")).unwrap();
    assert_eq!(arguments.lines().count(), 2, "{arguments}");
    assert!(
        arguments.contains("serve --listen 127.0.0.1:0 --data"),
        "{arguments}"
    );
    assert!(arguments.contains("--region eu-west-1"), "{arguments}");
    assert!(server.output().contains("starting"));
}

#[tokio::test]
async fn a_server_that_fails_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions {
        binary: Some(script(
            folder.path(),
            "#!/bin/sh\necho 'the folder is locked' >&2\nexit 1\n",
        )),
        start_timeout: Duration::from_secs(5),
        ..ServerOptions::default()
    };
    match ServerProcess::start_with(options).await {
        Err(ServerError::NotReady { output }) => assert!(output.contains("the folder is locked"), "{output}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a server that ended is said to run"),
    }
    let missing = ServerOptions {
        binary: None,
        ..ServerOptions::default()
    };
    assert!(matches!(
        ServerProcess::start_with(missing).await,
        Err(ServerError::NotBuilt)
    ));
}
