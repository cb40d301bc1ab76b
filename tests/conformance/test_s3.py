"""S3 with AWS's own clients: buckets, objects, conditions, multipart uploads, presigned URLs, both ways of addressing,
and who may call them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import socket

import boto3
import pytest
import urllib3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import ACCOUNT, REGION, allow
from expect import denied, document, refused, statement

MEGABYTE = 1024 * 1024


@pytest.fixture
def s3(server):
    return server.client("s3")


@pytest.fixture
def bucket(s3, unique):
    """The name of an empty bucket."""
    s3.create_bucket(Bucket=f"bucket-{unique}")
    return f"bucket-{unique}"


def read(client, bucket: str, key: str, **arguments) -> bytes:
    return client.get_object(Bucket=bucket, Key=key, **arguments)["Body"].read()


def keys(answer: dict) -> list[str]:
    return [entry["Key"] for entry in answer.get("Contents", [])]


def arn(bucket: str, key: str | None = None) -> str:
    return f"arn:aws:s3:::{bucket}" + (f"/{key}" if key is not None else "")


class TestBuckets:
    def test_the_life_of_a_bucket(self, s3, unique):
        name = f"bucket-{unique}"
        assert s3.create_bucket(Bucket=name)["Location"] == f"/{name}"
        s3.get_waiter("bucket_exists").wait(Bucket=name)
        s3.head_bucket(Bucket=name)
        assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] is None
        assert name in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
        s3.put_object(Bucket=name, Key="k", Body=b"v")
        with refused("BucketNotEmpty"):
            s3.delete_bucket(Bucket=name)
        s3.delete_object(Bucket=name, Key="k")
        s3.delete_bucket(Bucket=name)
        with refused("404"):
            s3.head_bucket(Bucket=name)
        with refused("NoSuchBucket", "The specified bucket does not exist"):
            s3.list_objects_v2(Bucket=name)

    @pytest.mark.parametrize("name", ["AB", "Upper-case", "dots..dots", "192.168.1.1", "-start", "xn--bucket"])
    def test_names_no_bucket_can_have(self, s3, name):
        with refused("InvalidBucketName"):
            s3.create_bucket(Bucket=name)

    def test_pages(self, s3, unique):
        wanted = [f"page-{unique}-{index}" for index in range(3)]
        for name in wanted:
            s3.create_bucket(Bucket=name)
        pages = s3.get_paginator("list_buckets").paginate(Prefix=f"page-{unique}", PaginationConfig={"PageSize": 2})
        assert [[entry["Name"] for entry in page["Buckets"]] for page in pages] == [wanted[:2], wanted[2:]]

    def test_tags(self, s3, bucket):
        with refused("NoSuchTagSet", "The TagSet does not exist"):
            s3.get_bucket_tagging(Bucket=bucket)
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "team", "Value": "a b"}]})
        assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "team", "Value": "a b"}]
        s3.delete_bucket_tagging(Bucket=bucket)
        with refused("NoSuchTagSet"):
            s3.get_bucket_tagging(Bucket=bucket)

    def test_it_does_not_exist(self, s3, unique):
        name = f"none-{unique}"
        for call in (
            lambda: s3.get_object(Bucket=name, Key="k"),
            lambda: s3.put_object(Bucket=name, Key="k", Body=b""),
            lambda: s3.delete_object(Bucket=name, Key="k"),
            lambda: s3.list_objects(Bucket=name),
            lambda: s3.delete_bucket(Bucket=name),
            lambda: s3.get_bucket_location(Bucket=name),
            lambda: s3.get_bucket_policy(Bucket=name),
            lambda: s3.create_multipart_upload(Bucket=name, Key="k"),
        ):
            with refused("NoSuchBucket", "The specified bucket does not exist"):
                call()


class TestObjects:
    def test_put_head_get_delete(self, s3, bucket):
        put = s3.put_object(
            Bucket=bucket, Key="a/b c+ü.txt", Body=b"hello", ContentType="text/plain", Metadata={"team": "a"}, CacheControl="no-cache"
        )
        assert put["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"' and put["ChecksumCRC32"]
        head = s3.head_object(Bucket=bucket, Key="a/b c+ü.txt")
        assert (head["ContentLength"], head["ContentType"], head["CacheControl"]) == (5, "text/plain", "no-cache")
        assert head["Metadata"] == {"team": "a"} and head["ETag"] == put["ETag"]
        assert read(s3, bucket, "a/b c+ü.txt") == b"hello"
        assert s3.get_object(Bucket=bucket, Key="a/b c+ü.txt", ResponseContentType="text/css")["ContentType"] == "text/css"
        s3.delete_object(Bucket=bucket, Key="a/b c+ü.txt")
        s3.delete_object(Bucket=bucket, Key="a/b c+ü.txt")
        with refused("NoSuchKey", "The specified key does not exist."):
            read(s3, bucket, "a/b c+ü.txt")
        with refused("404"):
            s3.head_object(Bucket=bucket, Key="a/b c+ü.txt")

    def test_empty_and_binary(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="empty", Body=b"")
        assert read(s3, bucket, "empty") == b""
        body = bytes(range(256)) * 1000
        s3.put_object(Bucket=bucket, Key="binary", Body=body)
        assert read(s3, bucket, "binary") == body

    @pytest.mark.parametrize("key", ["..", "a/../b", "a//b", "/a", "a?b=c&d#e", "%41", "☃", "x" * 1024])
    def test_keys_are_any_text(self, s3, bucket, key):
        s3.put_object(Bucket=bucket, Key=key, Body=b"v")
        assert read(s3, bucket, key) == b"v" and keys(s3.list_objects_v2(Bucket=bucket)) == [key]

    def test_a_key_too_long(self, s3, bucket):
        with refused("KeyTooLongError", "Your key is too long"):
            s3.put_object(Bucket=bucket, Key="x" * 1025, Body=b"v")

    @pytest.mark.parametrize(
        ("wanted", "body", "answered"),
        [("bytes=0-1", b"01", "bytes 0-1/10"), ("bytes=8-", b"89", "bytes 8-9/10"), ("bytes=-3", b"789", "bytes 7-9/10"), ("bytes=5-99", b"56789", "bytes 5-9/10")],
    )  # fmt: skip
    def test_ranges(self, s3, bucket, wanted, body, answered):
        s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
        answer = s3.get_object(Bucket=bucket, Key="k", Range=wanted)
        assert answer["Body"].read() == body and answer["ContentRange"] == answered
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
        with refused("InvalidRange", "The requested range is not satisfiable"):
            s3.get_object(Bucket=bucket, Key="k", Range="bytes=10-20")

    def test_conditions_of_reading(self, s3, bucket):
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"v")["ETag"]
        modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
        assert read(s3, bucket, "k", IfMatch=etag) == b"v" and read(s3, bucket, "k", IfNoneMatch='"other"') == b"v"
        with refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold"):
            read(s3, bucket, "k", IfMatch='"other"')
        with refused("304"):
            read(s3, bucket, "k", IfNoneMatch=etag)
        with refused("304"):
            s3.head_object(Bucket=bucket, Key="k", IfModifiedSince=modified)
        with refused("PreconditionFailed"):
            read(s3, bucket, "k", IfUnmodifiedSince=modified.replace(year=modified.year - 1))

    def test_conditions_of_writing(self, s3, bucket):
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
        with refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold"):
            s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
        with refused("PreconditionFailed"):
            s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch='"other"')
        s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=etag)
        with refused("NoSuchKey"):
            s3.put_object(Bucket=bucket, Key="none", Body=b"2", IfMatch=etag)
        assert read(s3, bucket, "k") == b"2"

    def test_checksums(self, s3, bucket):
        for algorithm in ("CRC32", "SHA1", "SHA256"):
            answer = s3.put_object(Bucket=bucket, Key=algorithm, Body=b"hello", ChecksumAlgorithm=algorithm)
            kept = s3.head_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")
            assert kept[f"Checksum{algorithm}"] == answer[f"Checksum{algorithm}"]
        with refused("BadDigest"):
            s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumSHA256="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        with refused("BadDigest"):
            s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")

    def test_a_streaming_body_with_a_trailer(self, s3, bucket):
        """A body that cannot be rewound is sent as aws-chunked with its checksum as a trailer."""

        class Once(io.RawIOBase):
            def __init__(self, data: bytes) -> None:
                self.inner = io.BytesIO(data)

            def readable(self) -> bool:
                return True

            def read(self, size: int = -1) -> bytes:
                return self.inner.read(size)

            def seek(self, *arguments) -> int:
                return self.inner.seek(*arguments)

            def tell(self) -> int:
                return self.inner.tell()

        body = b"streamed " * 20_000
        s3.put_object(Bucket=bucket, Key="k", Body=Once(body), ContentLength=len(body))
        head = s3.head_object(Bucket=bucket, Key="k")
        assert read(s3, bucket, "k") == body and head.get("ContentEncoding") in (None, "")

    def test_copy(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="from ä", Body=b"v", ContentType="text/plain", Metadata={"a": "1"})
        etag = s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from ä"})["CopyObjectResult"]["ETag"]
        head = s3.head_object(Bucket=bucket, Key="to")
        assert (head["ETag"], head["ContentType"], head["Metadata"]) == (etag, "text/plain", {"a": "1"})
        s3.copy_object(
            Bucket=bucket, Key="to", CopySource=f"{bucket}/to", MetadataDirective="REPLACE", Metadata={"b": "2"}, ContentType="text/css"
        )
        head = s3.head_object(Bucket=bucket, Key="to")
        assert (head["ContentType"], head["Metadata"]) == ("text/css", {"b": "2"})
        with refused("InvalidRequest", re.compile("^This copy request is illegal because it is trying to copy an object to itself")):
            s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/to")
        with refused("NoSuchKey"):
            s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/none")
        with refused("PreconditionFailed"):
            s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/to", CopySourceIfMatch='"other"', MetadataDirective="REPLACE")

    def test_delete_many(self, s3, bucket):
        for key in ("a", "b&<>", "c"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"")
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "b&<>"}, {"Key": "none"}]})
        assert {entry["Key"] for entry in answer["Deleted"]} == {"a", "b&<>", "none"} and "Errors" not in answer
        assert keys(s3.list_objects_v2(Bucket=bucket)) == ["c"]
        assert "Deleted" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "c"}], "Quiet": True})
        with refused("MalformedXML"):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": str(index)} for index in range(1001)]})

    def test_tags(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="team=a%20b&stage=test")
        assert s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 2
        tags = {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]}
        assert tags == {"team": "a b", "stage": "test"}
        s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})
        assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "x", "Value": "y"}]
        s3.delete_object_tagging(Bucket=bucket, Key="k")
        assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
        with refused("BadRequest", "Object tags cannot be greater than 10"):
            s3.put_object_tagging(
                Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": str(index), "Value": ""} for index in range(11)]}
            )
        with refused("InvalidTag"):
            s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": ""}] * 2})
        with refused("NoSuchKey"):
            s3.get_object_tagging(Bucket=bucket, Key="none")

    def test_attributes(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
        answer = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ETag", "ObjectSize", "StorageClass", "Checksum"])
        assert answer["ObjectSize"] == 5 and answer["ETag"] == hashlib.md5(b"hello").hexdigest()
        assert answer["StorageClass"] == "STANDARD" and answer["Checksum"]["ChecksumCRC32"]


class TestLists:
    @pytest.fixture(autouse=True)
    def the_objects(self, s3, bucket):
        for key in ("a.txt", "b/1", "b/2", "b/c/3", "d/4", "é"):
            s3.put_object(Bucket=bucket, Key=key, Body=key.encode())

    def test_everything_in_the_order_of_bytes(self, s3, bucket):
        answer = s3.list_objects_v2(Bucket=bucket)
        assert keys(answer) == ["a.txt", "b/1", "b/2", "b/c/3", "d/4", "é"] and answer["KeyCount"] == 6
        assert answer["Contents"][0]["Size"] == 5 and answer["Contents"][0]["StorageClass"] == "STANDARD"

    def test_prefixes_and_delimiters(self, s3, bucket):
        answer = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
        assert keys(answer) == ["a.txt", "é"] and [entry["Prefix"] for entry in answer["CommonPrefixes"]] == ["b/", "d/"]
        answer = s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="b/")
        assert keys(answer) == ["b/1", "b/2"] and [entry["Prefix"] for entry in answer["CommonPrefixes"]] == ["b/c/"]
        assert keys(s3.list_objects_v2(Bucket=bucket, StartAfter="b/2")) == ["b/c/3", "d/4", "é"]

    @pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
    def test_pages(self, s3, bucket, operation):
        paginator = s3.get_paginator(operation)
        pages = list(paginator.paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}))
        assert [keys(page) for page in pages] == [["a.txt", "b/1"], ["b/2", "b/c/3"], ["d/4", "é"]]
        pages = list(paginator.paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2}))
        found = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
        assert found == ["b/", "d/"] and [key for page in pages for key in keys(page)] == ["a.txt", "é"]

    def test_a_token_that_was_made_up(self, s3, bucket):
        with refused("InvalidArgument", "The continuation token provided is incorrect"):
            s3.list_objects_v2(Bucket=bucket, ContinuationToken="made up")


class TestMultipart:
    def test_the_transfer_manager_sends_parts(self, s3, bucket):
        body = b"0123456789abcdef" * (20 * MEGABYTE // 16)
        s3.upload_fileobj(io.BytesIO(body), bucket, "large")
        head = s3.head_object(Bucket=bucket, Key="large")
        assert head["ContentLength"] == len(body) and re.fullmatch(r'"[0-9a-f]{32}-3"', head["ETag"])
        back = io.BytesIO()
        s3.download_fileobj(bucket, "large", back)
        assert back.getvalue() == body
        assert s3.head_object(Bucket=bucket, Key="large", PartNumber=3)["ContentLength"] == 4 * MEGABYTE

    def test_by_hand(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="source", Body=b"x" * (6 * MEGABYTE))
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k", Metadata={"a": "1"})["UploadId"]
        first = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"y" * (5 * MEGABYTE))
        copied = s3.upload_part_copy(
            Bucket=bucket, Key="k", UploadId=upload, PartNumber=2, CopySource=f"{bucket}/source", CopySourceRange="bytes=0-9"
        )
        listed = s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"]
        assert [(part["PartNumber"], part["Size"]) for part in listed] == [(1, 5 * MEGABYTE), (2, 10)]
        uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
        assert [(entry["Key"], entry["UploadId"]) for entry in uploads] == [("k", upload)]
        parts = [{"PartNumber": 1, "ETag": first["ETag"]}, {"PartNumber": 2, "ETag": copied["CopyPartResult"]["ETag"]}]

        def complete(chosen: list[dict]):
            return s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": chosen})

        with refused("InvalidPartOrder"):
            complete(parts[::-1])
        with refused("InvalidPart"):
            complete([{"PartNumber": 1, "ETag": '"00000000000000000000000000000000"'}])
        done = complete(parts)
        assert done["ETag"].endswith('-2"') and done["Bucket"] == bucket and done["Key"] == "k"
        assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"a": "1"}
        assert read(s3, bucket, "k", Range="bytes=5242878-5242882") == b"yyxxx"
        assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)

    def test_a_part_too_small(self, s3, bucket):
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        parts = []
        for number in (1, 2):
            part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=number, Body=b"small")
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
        with refused("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"):
            s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})

    def test_abort(self, s3, bucket):
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
        s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
        for call in (
            lambda: s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x"),
            lambda: s3.list_parts(Bucket=bucket, Key="k", UploadId=upload),
            lambda: s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload),
        ):
            with refused("NoSuchUpload"):
                call()


def fetch(url: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    """A request without any credentials but those in the URL; status and body."""
    answer = urllib3.request(method, url, body=body)
    return answer.status, answer.data


class TestPresigned:
    @pytest.mark.parametrize("version", ["s3v4", None])
    def test_get_and_put(self, server, bucket, version):
        client = server.client("s3", config=Config(signature_version=version))
        target = {"Bucket": bucket, "Key": "a b/ü"}
        status, body = fetch(client.generate_presigned_url("put_object", Params=target, ExpiresIn=60), "PUT", b"presigned")
        assert status == 200, body
        url = client.generate_presigned_url("get_object", Params=target, ExpiresIn=60)
        assert fetch(url) == (200, b"presigned")
        status, body = fetch(url.replace("ignature=", "ignature=0"))
        assert status == 403 and b"SignatureDoesNotMatch" in body

    def test_it_ends(self, server, bucket):
        client = server.client("s3", config=Config(signature_version="s3v4"))
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=60)
        today = re.search(r"X-Amz-Date=(\d{8})", url).group(1)
        status, body = fetch(url.replace(today, "20200101"))
        assert status == 403 and b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in body

    def test_it_has_the_permissions_of_who_signed(self, server, bucket, make_user):
        client = server.client("s3", make_user().credentials, config=Config(signature_version="s3v4"))
        status, body = fetch(client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}))
        assert status == 403 and b"<Code>AccessDenied</Code>" in body

    def test_without_any_signature(self, server, bucket):
        status, body = fetch(f"{server.endpoint}/{bucket}/k")
        assert status == 403 and b"<Code>AccessDenied</Code>" in body


def test_virtual_hosts(server, s3, bucket, monkeypatch):
    original = socket.getaddrinfo

    def resolve(host, *arguments, **options):
        return original("127.0.0.1" if str(host).endswith("localhost") else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint.replace("127.0.0.1", "localhost"),
        region_name=REGION,
        aws_access_key_id=server.root[0],
        aws_secret_access_key=server.root[1],
        config=Config(s3={"addressing_style": "virtual"}, retries={"total_max_attempts": 1}),
    )
    client.put_object(Bucket=bucket, Key="a/b", Body=b"virtual")
    assert read(s3, bucket, "a/b") == b"virtual" and keys(client.list_objects_v2(Bucket=bucket)) == ["a/b"]
    url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a/b"})
    assert url.startswith(f"http://{bucket}.localhost:") and fetch(url) == (200, b"virtual")


class TestBucketPolicies:
    def test_the_life_of_a_policy(self, s3, bucket, make_user):
        with refused("NoSuchBucketPolicy", "The bucket policy does not exist"):
            s3.get_bucket_policy(Bucket=bucket)
        policy = document(statement("Allow", Principal={"AWS": make_user().arn}, Action="s3:GetObject", Resource=arn(bucket, "*")))
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy)
        assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
        s3.delete_bucket_policy(Bucket=bucket)
        with refused("NoSuchBucketPolicy"):
            s3.get_bucket_policy(Bucket=bucket)

    @pytest.mark.parametrize(
        "element",
        [
            {"Principal": {"AWS": ACCOUNT}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::another-bucket/*"},
            {"Action": "s3:GetObject", "Resource": "*"},
            {"Principal": {"AWS": ACCOUNT}, "Action": "dynamodb:GetItem", "Resource": "*"},
            {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody-at-all"}, "Action": "s3:GetObject", "Resource": "*"},
        ],
    )
    def test_policies_that_are_refused(self, s3, bucket, element):
        with refused("MalformedPolicy"):
            s3.put_bucket_policy(Bucket=bucket, Policy=document(statement("Allow", **element)))

    def test_it_allows_without_an_identity_policy(self, server, s3, bucket, make_user):
        user = make_user()
        s3.put_object(Bucket=bucket, Key="open/a", Body=b"a")
        s3.put_bucket_policy(
            Bucket=bucket,
            Policy=document(statement("Allow", Principal={"AWS": user.arn}, Action="s3:GetObject", Resource=arn(bucket, "open/*"))),
        )
        client = server.client("s3", user.credentials)
        assert read(client, bucket, "open/a") == b"a"
        with denied(user.arn, "s3:PutObject", arn(bucket, "open/a")):
            client.put_object(Bucket=bucket, Key="open/a", Body=b"")

    def test_it_denies_against_an_identity_policy(self, server, s3, bucket, make_user):
        user = make_user([allow("s3:*")])
        s3.put_bucket_policy(
            Bucket=bucket,
            Policy=document(statement("Deny", Principal="*", Action="s3:PutObject", Resource=arn(bucket, "sealed/*"))),
        )
        client = server.client("s3", user.credentials)
        client.put_object(Bucket=bucket, Key="open", Body=b"")
        with denied(user.arn, "s3:PutObject", arn(bucket, "sealed/a"), "resource", explicit=True):
            client.put_object(Bucket=bucket, Key="sealed/a", Body=b"")

    def test_only_over_tls(self, server, s3, bucket, make_user):
        user = make_user([allow("s3:*")])
        s3.put_bucket_policy(
            Bucket=bucket,
            Policy=document(
                statement(
                    "Deny", Principal={"AWS": user.arn}, Action="s3:*", Resource=[arn(bucket), arn(bucket, "*")],
                    Condition={"Bool": {"aws:SecureTransport": "false"}},
                )
            ),
        )  # fmt: skip
        with denied(user.arn, "s3:ListBucket", arn(bucket), "resource", explicit=True):
            server.client("s3", user.credentials).list_objects_v2(Bucket=bucket)

    def test_a_public_policy_is_prevented(self, s3, bucket):
        """New buckets block public policies (S3 User Guide, "Blocking public access")."""
        with refused("AccessDenied", re.compile("BlockPublicPolicy")):
            s3.put_bucket_policy(
                Bucket=bucket,
                Policy=document(statement("Allow", Principal="*", Action="s3:GetObject", Resource=arn(bucket, "*"))),
            )


class TestWhoMay:
    def test_nobody_without_permission(self, server, s3, bucket, make_user):
        user = make_user()
        s3.put_object(Bucket=bucket, Key="k", Body=b"v")
        client = server.client("s3", user.credentials)
        for action, resource, call in (
            ("s3:ListBucket", arn(bucket), lambda: client.list_objects_v2(Bucket=bucket)),
            ("s3:GetBucketLocation", arn(bucket), lambda: client.get_bucket_location(Bucket=bucket)),
            ("s3:DeleteBucket", arn(bucket), lambda: client.delete_bucket(Bucket=bucket)),
            ("s3:GetObject", arn(bucket, "k"), lambda: client.get_object(Bucket=bucket, Key="k")),
            ("s3:PutObject", arn(bucket, "k"), lambda: client.put_object(Bucket=bucket, Key="k", Body=b"")),
            ("s3:DeleteObject", arn(bucket, "k"), lambda: client.delete_object(Bucket=bucket, Key="k")),
            ("s3:PutObject", arn(bucket, "k"), lambda: client.create_multipart_upload(Bucket=bucket, Key="k")),
            ("s3:PutBucketPolicy", arn(bucket), lambda: client.put_bucket_policy(Bucket=bucket, Policy="{}")),
            ("s3:GetObjectTagging", arn(bucket, "k"), lambda: client.get_object_tagging(Bucket=bucket, Key="k")),
        ):
            with denied(user.arn, action, resource):
                call()
        with refused("AccessDenied", re.compile("s3:ListAllMyBuckets")):
            client.list_buckets()
        with refused("403"):
            client.head_object(Bucket=bucket, Key="k")

    def test_a_missing_key_is_told_to_who_may_list_only(self, server, bucket, make_user):
        blind = make_user([allow("s3:GetObject")])
        with denied(blind.arn, "s3:ListBucket", arn(bucket)):
            read(server.client("s3", blind.credentials), bucket, "none")
        seeing = make_user([allow(["s3:GetObject", "s3:ListBucket"])])
        with refused("NoSuchKey"):
            read(server.client("s3", seeing.credentials), bucket, "none")

    def test_the_own_folder(self, server, s3, bucket, make_user):
        user = make_user(
            [
                statement(
                    "Allow", Action="s3:ListBucket", Resource=arn(bucket), Condition={"StringLike": {"s3:prefix": ["home/${aws:username}/*"]}}
                ),
                allow(["s3:GetObject", "s3:PutObject"], arn(bucket, "home/${aws:username}/*")),
            ]
        )
        client = server.client("s3", user.credentials)
        client.put_object(Bucket=bucket, Key=f"home/{user.name}/a", Body=b"a")
        assert keys(client.list_objects_v2(Bucket=bucket, Prefix=f"home/{user.name}/")) == [f"home/{user.name}/a"]
        for prefix in ({}, {"Prefix": "home/"}, {"Prefix": "home/other/"}):
            with denied(user.arn, "s3:ListBucket", arn(bucket)):
                client.list_objects_v2(Bucket=bucket, **prefix)
        with denied(user.arn, "s3:PutObject", arn(bucket, "home/other/a")):
            client.put_object(Bucket=bucket, Key="home/other/a", Body=b"")

    def test_a_copy_needs_both_ends(self, server, s3, bucket, make_user):
        s3.put_object(Bucket=bucket, Key="from", Body=b"v")
        reader, writer = make_user([allow("s3:GetObject")]), make_user([allow("s3:PutObject")])
        both = make_user([allow("s3:GetObject", arn(bucket, "from")), allow("s3:PutObject", arn(bucket, "to"))])

        def copy(user):
            return server.client("s3", user.credentials).copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from")

        with denied(reader.arn, "s3:PutObject", arn(bucket, "to")):
            copy(reader)
        with denied(writer.arn, "s3:GetObject", arn(bucket, "from")):
            copy(writer)
        copy(both)

    def test_many_are_deleted_one_by_one(self, server, s3, bucket, make_user):
        for key in ("open/a", "closed/a"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"")
        user = make_user([allow("s3:DeleteObject", arn(bucket, "open/*"))])
        answer = server.client("s3", user.credentials).delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": "open/a"}, {"Key": "closed/a"}]}
        )
        assert [entry["Key"] for entry in answer["Deleted"]] == ["open/a"]
        assert [(entry["Key"], entry["Code"]) for entry in answer["Errors"]] == [("closed/a", "AccessDenied")]

    def test_tags(self, server, s3, bucket, make_user):
        s3.put_object(Bucket=bucket, Key="red", Body=b"r", Tagging="color=red")
        s3.put_object(Bucket=bucket, Key="blue", Body=b"b", Tagging="color=blue")
        user = make_user(
            [
                statement("Allow", Action="s3:GetObject", Resource="*", Condition={"StringEquals": {"s3:ExistingObjectTag/color": "red"}}),
                allow("s3:PutObject"),
                statement(
                    "Allow", Action="s3:PutObjectTagging", Resource="*", Condition={"StringEquals": {"s3:RequestObjectTag/color": "red"}}
                ),
            ]
        )
        client = server.client("s3", user.credentials)
        assert read(client, bucket, "red") == b"r"
        with denied(user.arn, "s3:GetObject", arn(bucket, "blue")):
            read(client, bucket, "blue")
        client.put_object(Bucket=bucket, Key="new", Body=b"", Tagging="color=red")
        with denied(user.arn, "s3:PutObjectTagging", arn(bucket, "new")):
            client.put_object(Bucket=bucket, Key="new", Body=b"", Tagging="color=blue")

    def test_headers_as_conditions(self, server, bucket, make_user):
        user = make_user(
            [
                allow("s3:PutObject"),
                statement(
                    "Deny", Action="s3:PutObject", Resource="*", Condition={"StringNotEqualsIfExists": {"s3:x-amz-storage-class": "STANDARD"}}
                ),
            ]
        )
        client = server.client("s3", user.credentials)
        client.put_object(Bucket=bucket, Key="k", Body=b"", StorageClass="STANDARD")
        with denied(user.arn, "s3:PutObject", arn(bucket, "k"), explicit=True):
            client.put_object(Bucket=bucket, Key="k", Body=b"", StorageClass="STANDARD_IA")

    def test_a_boundary_limits_what_a_bucket_grants_to_everybody(self, server, s3, bucket, make_user, unique):
        user = make_user([allow("s3:*")])
        iam = server.client("iam")
        boundary = iam.create_policy(PolicyName=f"b-{unique}", PolicyDocument=document(allow("s3:GetObject")))["Policy"]["Arn"]
        iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=boundary)
        s3.put_object(Bucket=bucket, Key="k", Body=b"v")
        client = server.client("s3", user.credentials)
        assert read(client, bucket, "k") == b"v"
        with denied(user.arn, "s3:PutObject", arn(bucket, "k"), "boundary"):
            client.put_object(Bucket=bucket, Key="k", Body=b"")

    def test_an_anonymous_client(self, server, bucket):
        with refused("AccessDenied"):
            server.client("s3", config=Config(signature_version=UNSIGNED)).get_object(Bucket=bucket, Key="k")


def test_with_the_cli(server, unique, tmp_path):
    name = f"cli-{unique}"
    folder = tmp_path / "files"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub" / "b.txt").write_text("b")
    server.aws("s3", "mb", f"s3://{name}")
    server.aws("s3", "sync", str(folder), f"s3://{name}/files")
    listed = server.aws("s3", "ls", f"s3://{name}/files/", "--recursive").stdout
    assert "files/a.txt" in listed and "files/sub/b.txt" in listed
    server.aws("s3", "cp", f"s3://{name}/files/a.txt", f"s3://{name}/copy.txt")
    server.aws("s3", "cp", f"s3://{name}/copy.txt", str(tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_text() == "a"
    assert fetch(server.aws("s3", "presign", f"s3://{name}/copy.txt").stdout.strip()) == (200, b"a")
    server.aws("s3", "rm", f"s3://{name}", "--recursive")
    server.aws("s3", "rb", f"s3://{name}")
    assert name not in server.aws("s3", "ls").stdout


def test_what_is_not_served_is_named(s3, bucket):
    with pytest.raises(ClientError) as error:
        s3.get_bucket_website(Bucket=bucket)
    assert error.value.response["Error"]["Code"] == "NotImplemented"
    assert "GetBucketWebsite" in error.value.response["Error"]["Message"]
