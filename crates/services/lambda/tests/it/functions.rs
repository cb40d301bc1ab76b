//! Creating, reading, changing and deleting functions.

use bytes::Bytes;
use rolecall_wire::Value;

use crate::block_on;
use crate::world::{ROLE, World, blob, creation, get, package, structure, text, with};

const HANDLER: &str = "def handler(event, context):\n    return event\n";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:orders";

fn named(name: &str) -> Value {
    structure([("FunctionName", text(name))])
}

#[test]
fn a_function_is_shown_as_it_was_created() {
    block_on(async {
        let world = World::new().await;
        let environment = structure([("Variables", structure([("TABLE_NAME", text("orders"))]))]);
        let input = with(creation("orders", HANDLER), "Environment", environment);
        let created = world.call("CreateFunction", input).await.output();
        assert_eq!(get(&created, &["FunctionArn"]), ARN);
        assert_eq!(get(&created, &["LastModified"]), "2026-11-24T10:00:00.000+0000");
        assert_eq!(get(&created, &["State"]), "Active");
        assert_eq!(get(&created, &["LastUpdateStatus"]), "Successful");
        assert_eq!(created.get("MemorySize"), Some(&Value::Integer(128)));
        assert_eq!(created.get("Timeout"), Some(&Value::Integer(3)));

        let read = world.call("GetFunction", named("orders")).await.output();
        assert_eq!(read.get("Configuration"), Some(&created));
        assert!(read.get("Code").is_some());
        let read = world
            .call("GetFunctionConfiguration", named(&format!("{ARN}:$LATEST")))
            .await
            .output();
        assert_eq!(get(&read, &["FunctionArn"]), format!("{ARN}:$LATEST"));
        assert_eq!(get(&read, &["Environment", "Variables", "TABLE_NAME"]), "orders");

        let (code, status, message) = world
            .call("CreateFunction", creation("orders", HANDLER))
            .await
            .error();
        assert_eq!((code.as_str(), status), ("ResourceConflictException", 409));
        assert_eq!(message, "Function already exist: orders");

        world.call("DeleteFunction", named("orders")).await.output();
        for operation in [
            "GetFunction",
            "DeleteFunction",
            "Invoke",
            "GetPolicy",
            "PublishVersion",
        ] {
            let (code, status, message) = world.call(operation, named("orders")).await.error();
            assert_eq!(
                (code.as_str(), status),
                ("ResourceNotFoundException", 404),
                "{operation}"
            );
            assert_eq!(message, format!("Function not found: {ARN}"), "{operation}");
        }
    });
}

#[test]
fn what_cannot_be_created_gets_aws_answer() {
    block_on(async {
        let world = World::new().await;
        let good = || creation("orders", HANDLER);
        let zip = |bytes: &[u8]| structure([("ZipFile", blob(bytes))]);
        let invalid = "InvalidParameterValueException";
        let cases = [
            (
                with(good(), "Role", text("arn:aws:iam::123456789012:role/distrustful")),
                invalid,
                "The role defined for the function cannot be assumed by Lambda.",
            ),
            (
                with(good(), "Role", text("arn:aws:iam::123456789012:role/missing")),
                invalid,
                "The role defined for the function cannot be assumed by Lambda.",
            ),
            (
                with(good(), "Role", text("arn:aws:iam::999999999999:role/lambda")),
                "AccessDeniedException",
                "Cross-account pass role is not allowed.",
            ),
            (
                with(good(), "Code", zip(b"no zip")),
                invalid,
                "Could not unzip uploaded file. Please check your file, then try to upload again.",
            ),
            (
                with(good(), "Code", zip(&package(&[("../../evil.py", "")]))),
                invalid,
                "Could not unzip uploaded file. Please check your file, then try to upload again. \
                 (the entry \"../../evil.py\" leaves the folder of the package)",
            ),
            (
                with(good(), "Runtime", text("nodejs20.x")),
                invalid,
                "the runtime \"nodejs20.x\" is not supported; use python3.9 to python3.14, provided.al2 or \
                 provided.al2023",
            ),
            (
                with(good(), "PackageType", text("Image")),
                invalid,
                "Functions of PackageType Image are not supported by rolecall; deploy a zip file instead.",
            ),
            (
                with(good(), "Layers", Value::List(vec![text("arn:aws:lambda:x")])),
                invalid,
                "The parameter Layers is not supported by rolecall; leave it out.",
            ),
        ];
        for (input, code, message) in cases {
            let (found, _, text) = world.call("CreateFunction", input).await.error();
            assert_eq!((found.as_str(), text.as_str()), (code, message));
        }
        assert_eq!(world.folders_of_code(), 0);
    });
}

#[test]
fn code_comes_from_s3_as_well() {
    block_on(async {
        let world = World::new().await;
        let from = |key: &str| {
            let code = structure([("S3Bucket", text("bucket")), ("S3Key", text(key))]);
            with(creation("orders", HANDLER), "Code", code)
        };
        let (code, status, _) = world.call("CreateFunction", from("secret.zip")).await.error();
        assert_eq!((code.as_str(), status), ("AccessDeniedException", 403));
        let (code, _, message) = world.call("CreateFunction", from("app.zip")).await.error();
        assert_eq!(code, "InvalidParameterValueException");
        assert_eq!(
            message,
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not \
             exist."
        );
        world.put_object(Bytes::from(package(&[("app.py", HANDLER)])));
        world.call("CreateFunction", from("app.zip")).await.output();
    });
}

#[test]
fn versions_do_not_change() {
    block_on(async {
        let world = World::new().await;
        world.create("orders", HANDLER).await;
        let first = world.call("PublishVersion", named("orders")).await.output();
        assert_eq!(get(&first, &["FunctionArn"]), format!("{ARN}:1"));
        let again = world.call("PublishVersion", named("orders")).await.output();
        assert_eq!(again, first, "nothing has changed");

        let update = with(named("orders"), "ZipFile", blob(&package(&[("app.py", "x = 1")])));
        let updated = world.call("UpdateFunctionCode", update).await.output();
        assert_ne!(get(&updated, &["CodeSha256"]), get(&first, &["CodeSha256"]));
        let second = world.call("PublishVersion", named("orders")).await.output();
        assert_eq!(get(&second, &["Version"]), "2");
        let read = world
            .call("GetFunctionConfiguration", named("orders:1"))
            .await
            .output();
        assert_eq!(read, first);

        for qualifier in ["01", "9"] {
            let read = with(named("orders"), "Qualifier", text(qualifier));
            let (code, _, _) = world.call("GetFunction", read.clone()).await.error();
            assert_eq!(code, "ResourceNotFoundException");
            let (code, _, _) = world.call("DeleteFunction", read).await.error();
            assert_eq!(code, "ResourceNotFoundException");
        }

        let versions = |output: &Value| -> Vec<String> {
            let list = output.get("Versions").unwrap().as_list().unwrap().to_vec();
            list.iter()
                .map(|version| get(version, &["Version"]).to_owned())
                .collect()
        };
        let page = with(named("orders"), "MaxItems", 2);
        let output = world.call("ListVersionsByFunction", page.clone()).await.output();
        assert_eq!(versions(&output), ["$LATEST", "1"]);
        let marker = get(&output, &["NextMarker"]).to_owned();
        let output = world
            .call("ListVersionsByFunction", with(page, "Marker", text(&marker)))
            .await
            .output();
        assert_eq!(versions(&output), ["2"]);
        assert!(output.get("NextMarker").is_none());

        let restarted = world.restarted().await;
        world.call("DeleteFunction", named("orders:1")).await.output();
        let (code, _, message) = world.call("GetFunction", named("orders:1")).await.error();
        assert_eq!(code, "ResourceNotFoundException");
        assert_eq!(message, format!("Function not found: {ARN}:1"));
        let read = restarted
            .call("GetFunctionConfiguration", named("orders:1"))
            .await
            .output();
        assert_eq!(read, first, "a version was there after a restart");
    });
}

#[test]
fn updates_need_the_latest_revision_if_they_name_one() {
    block_on(async {
        let world = World::new().await;
        let created = world.create("orders", HANDLER).await;
        let revision = get(&created, &["RevisionId"]).to_owned();
        let update = |timeout: i32| {
            let input = with(named("orders"), "Timeout", timeout);
            with(input, "RevisionId", text(&revision))
        };
        let updated = world
            .call("UpdateFunctionConfiguration", update(10))
            .await
            .output();
        assert_eq!(updated.get("Timeout"), Some(&Value::Integer(10)));
        assert_eq!(
            get(&updated, &["Handler"]),
            "app.handler",
            "what is not named stays"
        );
        let (code, status, _) = world
            .call("UpdateFunctionConfiguration", update(11))
            .await
            .error();
        assert_eq!((code.as_str(), status), ("PreconditionFailedException", 412));

        let dry = with(named("orders"), "ZipFile", blob(&package(&[("app.py", "")])));
        let dry = with(dry, "DryRun", true);
        world.call("UpdateFunctionCode", dry).await.output();
        let read = world
            .call("GetFunctionConfiguration", named("orders"))
            .await
            .output();
        assert_eq!(read, updated, "a dry run changes nothing");
        let role = with(named("orders"), "Role", text(&format!("{ROLE}-missing")));
        let (code, _, _) = world.call("UpdateFunctionConfiguration", role).await.error();
        assert_eq!(code, "InvalidParameterValueException");
    });
}

#[test]
fn functions_are_listed_in_pages() {
    block_on(async {
        let world = World::new().await;
        for name in ["c", "a", "b"] {
            world.create(name, HANDLER).await;
        }
        assert_eq!(world.folders_of_code(), 1, "code is shared by content");
        let page = structure([("MaxItems", Value::Integer(2))]);
        let output = world.call("ListFunctions", page.clone()).await.output();
        let marker = get(&output, &["NextMarker"]).to_owned();
        assert_eq!(output.get("Functions").unwrap().as_list().unwrap().len(), 2);
        let output = world
            .call("ListFunctions", with(page, "Marker", text(&marker)))
            .await
            .output();
        let rest = output.get("Functions").unwrap().as_list().unwrap();
        assert_eq!(rest.len(), 1);
        assert_eq!(get(&rest[0], &["FunctionName"]), "c");
        assert!(output.get("NextMarker").is_none());
    });
}

#[test]
fn tags_and_concurrency_are_kept() {
    block_on(async {
        let world = World::new().await;
        world.create("orders", HANDLER).await;
        let tags = structure([("team", text("shop")), ("stage", text("test"))]);
        let input = structure([("Resource", text(ARN)), ("Tags", tags)]);
        world.call("TagResource", input).await.output();
        let input = structure([
            ("Resource", text(ARN)),
            ("TagKeys", Value::List(vec![text("stage")])),
        ]);
        world.call("UntagResource", input).await.output();
        let concurrency = |number: i32| with(named("orders"), "ReservedConcurrentExecutions", number);
        world
            .call("PutFunctionConcurrency", concurrency(900))
            .await
            .output();
        let (code, _, _) = world
            .call("PutFunctionConcurrency", concurrency(901))
            .await
            .error();
        assert_eq!(code, "InvalidParameterValueException");

        let world = world.restarted().await;
        let read = world.call("GetFunction", named("orders")).await.output();
        assert_eq!(read.get("Tags"), Some(&structure([("team", text("shop"))])));
        assert_eq!(
            read.get("Concurrency"),
            Some(&structure([(
                "ReservedConcurrentExecutions",
                Value::Integer(900)
            )]))
        );
        let settings = world.call("GetAccountSettings", structure([])).await.output();
        let limit = settings.get("AccountLimit").unwrap();
        assert_eq!(
            limit.get("UnreservedConcurrentExecutions"),
            Some(&Value::Integer(100))
        );
    });
}
