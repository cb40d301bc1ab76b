//! An endpoint on a loopback port: all of the services that need no sandbox, over a store in memory.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use rolecall_gateway::{Gateway, GatewayOptions, serve};
use rolecall_identity::{Directory, DirectoryOptions, Holder, NewUser, RootCredentials, Secret};
use rolecall_service::Service;
use rolecall_service_cloudtrail::CloudTrail;
use rolecall_service_dynamodb::DynamoDb;
use rolecall_service_iam::Iam;
use rolecall_service_logs::Logs;
use rolecall_service_s3::{S3, S3Options};
use rolecall_service_sts::Sts;
use rolecall_store::{EmbeddedStore, Store};
use rolecall_testkit::{RawRequest, RawResponse, Signing, TestCredentials};
use rolecall_trail::{Record, Recorder};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const IAM_VERSION: &str = "2010-05-08";
pub(crate) const STS_VERSION: &str = "2011-06-15";

pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) recorder: Recorder,
    pub(crate) root: TestCredentials,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) server: JoinHandle<std::io::Result<()>>,
    _folder: tempfile::TempDir,
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        Self::with([]).await
    }

    /// With further services of a test's own.
    pub(crate) async fn with<const N: usize>(more: [Arc<dyn Service>; N]) -> Self {
        Self::over(Arc::new(EmbeddedStore::in_memory().unwrap()), more).await
    }

    /// Over a store of a test's own.
    pub(crate) async fn over<const N: usize>(store: Arc<dyn Store>, more: [Arc<dyn Service>; N]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool");
        std::fs::create_dir(&spool).unwrap();
        let root = TestCredentials::new("AKIAROOTROOTROOTROOT", "the root's secret");
        let directory = Directory::open(
            Arc::clone(&store),
            ACCOUNT,
            DirectoryOptions {
                root_credentials: Some(RootCredentials {
                    access_key_id: root.access_key_id.clone(),
                    secret: Secret::new(root.secret_access_key.as_str()),
                }),
            },
        )
        .await
        .unwrap();
        let recorder = Recorder::new(Arc::clone(&store));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gateway = Gateway::new(
            GatewayOptions {
                region: REGION.into(),
                endpoint: format!("http://{address}").into(),
                environment_endpoint: "http://127.0.0.1:4566".into(),
                spool,
            },
            Arc::clone(&directory),
            recorder.clone(),
        );
        let objects = S3Options {
            data: folder.path().join("objects"),
            region: REGION.to_owned(),
            account: ACCOUNT.to_owned(),
        };
        let services: [Arc<dyn Service>; 6] = [
            Iam::new(Arc::clone(&directory)),
            Sts::new(Arc::clone(&directory)),
            S3::open(objects, Arc::clone(&store), Arc::clone(&directory))
                .await
                .unwrap(),
            DynamoDb::open(Arc::clone(&store)).unwrap(),
            Logs::open(Arc::clone(&store)).unwrap(),
            CloudTrail::new(recorder.clone()),
        ];
        gateway.install(services.into_iter().chain(more));
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(Arc::clone(&gateway), listener, stopped));
        Self {
            address,
            gateway,
            directory,
            store,
            recorder,
            root,
            stop,
            server,
            _folder: folder,
        }
    }

    /// A user with one inline policy, and a key.
    pub(crate) async fn user(&self, name: &str, policy: &str) -> TestCredentials {
        let new = NewUser {
            name: name.to_owned(),
            ..NewUser::default()
        };
        self.directory.create_user(new, Timestamp::now()).await.unwrap();
        if !policy.is_empty() {
            self.set_policy(name, policy).await;
        }
        let key = self
            .directory
            .create_access_key(name, Timestamp::now())
            .await
            .unwrap();
        TestCredentials::new(key.id.clone(), key.secret.expose())
    }

    pub(crate) async fn set_policy(&self, name: &str, policy: &str) {
        self.directory
            .put_inline_policy(Holder::User(name), "policy", policy)
            .await
            .unwrap();
    }

    /// Signs in the header and sends.
    pub(crate) async fn send(
        &self,
        request: RawRequest,
        who: &TestCredentials,
        service: &str,
    ) -> RawResponse {
        request
            .sign(Signing::Header, who, REGION, service)
            .send(self.address)
            .await
            .unwrap()
    }

    pub(crate) async fn iam(&self, who: &TestCredentials, action: &str, parameters: &str) -> RawResponse {
        self.send(
            RawRequest::query_call(IAM_VERSION, action, parameters),
            who,
            "iam",
        )
        .await
    }

    pub(crate) async fn sts(&self, who: &TestCredentials, action: &str, parameters: &str) -> RawResponse {
        self.send(
            RawRequest::query_call(STS_VERSION, action, parameters),
            who,
            "sts",
        )
        .await
    }

    pub(crate) async fn logs(&self, who: &TestCredentials, operation: &str, body: &str) -> RawResponse {
        let target = format!("Logs_20140328.{operation}");
        self.send(
            RawRequest::json_call("1.1", &target, body.to_owned()),
            who,
            "logs",
        )
        .await
    }

    pub(crate) async fn dynamodb(&self, who: &TestCredentials, operation: &str, body: &str) -> RawResponse {
        let target = format!("DynamoDB_20120810.{operation}");
        self.send(
            RawRequest::json_call("1.0", &target, body.to_owned()),
            who,
            "dynamodb",
        )
        .await
    }

    /// An S3 request; the hash of the body is signed.
    pub(crate) async fn s3(
        &self,
        who: &TestCredentials,
        method: &str,
        target: &str,
        body: &str,
    ) -> RawResponse {
        self.send(RawRequest::new(method, target).body(body.to_owned()), who, "s3")
            .await
    }

    /// A bucket of root's.
    pub(crate) async fn bucket(&self, name: &str) {
        let configuration = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        let answer = self
            .s3(&self.root, "PUT", &format!("/{name}"), &configuration)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The whole trail, oldest first.
    pub(crate) fn trail(&self) -> Vec<Record> {
        self.recorder
            .read_from(0, 10_000)
            .unwrap()
            .into_iter()
            .map(|(_, record)| record)
            .collect()
    }

    /// The youngest record.
    pub(crate) fn last(&self) -> Record {
        self.trail().pop().unwrap()
    }

    /// The trail's bytes as they are kept.
    pub(crate) fn journal(&self) -> String {
        let records = self
            .store
            .read_from(rolecall_store::Journal::relaxed("trail"), 0, 10_000)
            .unwrap();
        records
            .iter()
            .map(|record| String::from_utf8_lossy(&record.payload).into_owned())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// The text between `<name>` and `</name>`.
pub(crate) fn xml(answer: &RawResponse, name: &str) -> String {
    let text = answer.text();
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let start = text.find(&open).unwrap_or_else(|| panic!("no {name} in {text}")) + open.len();
    let end = start + text[start..].find(&close).unwrap();
    text[start..end].to_owned()
}

/// Temporary credentials of an answer of STS.
pub(crate) fn credentials(answer: &RawResponse) -> TestCredentials {
    assert_eq!(answer.status, 200, "{}", answer.text());
    TestCredentials::new(xml(answer, "AccessKeyId"), xml(answer, "SecretAccessKey"))
        .with_session_token(xml(answer, "SessionToken"))
}

/// The error's code, whatever the protocol.
pub(crate) fn code(answer: &RawResponse) -> String {
    let text = answer.text();
    if text.trim_start().starts_with('<') {
        return xml(answer, "Code");
    }
    if let Some(kind) = answer.header("x-amzn-errortype") {
        return kind.split(':').next().unwrap_or_default().to_owned();
    }
    let body: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let kind = body["__type"].as_str().unwrap_or_default();
    kind.rsplit('#').next().unwrap_or_default().to_owned()
}

/// A value in a form or a query.
pub(crate) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
