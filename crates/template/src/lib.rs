//! SAM and CloudFormation templates: resources in order, intrinsics resolved.
