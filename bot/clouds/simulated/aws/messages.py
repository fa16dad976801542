"""What EC2 says beside its error codes, word for word, with ids of no account; and which HTTP status it gives.

Each message is one that somebody was told by the real EC2; the comment above it names where that stands. Codes
without a message here are answered by ``UNSAID``. Statuses: Amazon EC2 API Reference, "Error codes for the Amazon
EC2 API": server errors 500 or 503, client errors 400 but for those of identity.
"""

from __future__ import annotations

BLOB = "4oZPBqZ4Bni8dE5dGjxYTnOZq" + "Qx7-fWk2_PetoT9gwyis" * 22
"""As long as an encoded authorization message is, and as little fit to be read."""

UNSAID = "The request could not be completed."

ASKED, RESOURCE = "ec2:RunInstances", "arn:aws:ec2:us-east-1:123456789012:instance/*"
"""What the message of a refusal says was asked for; :func:`message_of` puts in its place what was."""

MESSAGES = {
    # github.com/scylladb/scylladb/issues/6999, github.com/aws/karpenter-provider-aws/issues/3302
    "InvalidBlockDeviceMapping": (
        "Volume of size 5GB is smaller than snapshot 'snap-0f0e1d2c3b4a59687', expect size >= 10GB"
    ),
    # github.com/ned1313/Getting-Started-Terraform/issues/44, github.com/fedora-copr/copr/issues/2840
    "Unsupported": (
        "Your requested instance type (t3.small) is not supported in your requested Availability Zone (us-east-1e). "
        "Please retry your request by not specifying an Availability Zone or choosing us-east-1a, us-east-1b, "
        "us-east-1c, us-east-1d, us-east-1f."
    ),
    # github.com/CiscoDevNet/cloud-cml/issues/4, github.com/hashicorp/terraform-provider-aws/issues/27516
    "InvalidParameterValue": (
        "Value (image-tests) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
    ),
    # The description in "Error codes for the Amazon EC2 API": no message of this code was found in public.
    "InvalidIamInstanceProfileArn.Malformed": "The specified IAM instance profile ARN is not valid.",
    # github.com/aws/karpenter-provider-aws/issues/3380, github.com/osbuild/osbuild-composer/issues/1575
    "InsufficientFreeAddressesInSubnet": (
        "There are not enough free addresses in subnet 'subnet-0f0e1d2c3b4a59687' to satisfy the requested number of "
        "instances."
    ),
    # github.com/meadowdata/meadowrun/issues/84, github.com/NixOS/nixops-aws/issues/41
    "MaxSpotInstanceCountExceeded": "Max spot instance count exceeded",
    # Integrated Digital Engineering on AWS, "Submit a job", of a RunInstances with DryRun
    "ResourceCountExceeded": "You have exceeded the number of resources allowed in a single call of this type",
    # github.com/aws/aws-sdk-js-v3/issues/5340
    "InsufficientCapacityOnHost": (
        "Dedicated host h-0f0e1d2c3b4a59687 has insufficient capacity to launch the instances in this request."
    ),
    # github.com/buildkite/elastic-ci-stack-for-aws/issues/856
    "InvalidTagKey.Malformed": (
        "The tag key ?aws:createdBy? is not valid. Tag keys starting with 'aws:' are reserved for internal use."
    ),
    # github.com/hashicorp/terraform-provider-aws/issues/1496
    "InsufficientInstanceCapacity": (
        "We currently do not have sufficient t3.small capacity in the Availability Zone you requested (us-east-1d). "
        "Our system will be working on provisioning additional capacity. You can currently get t3.small capacity by "
        "not specifying an Availability Zone in your request or choosing us-east-1a, us-east-1b."
    ),
    # github.com/scrapoxy/scrapoxy/issues/202, github.com/bentoml/bentoctl/issues/202
    "VcpuLimitExceeded": (
        "You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance bucket "
        "that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to "
        "request an adjustment to this limit."
    ),
    # github.com/convox/rack/issues/2539
    "InstanceLimitExceeded": (
        "You have requested more instances (6) than your current instance limit of 5 allows for the specified "
        "instance type. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this "
        "limit."
    ),
    # github.com/aws/karpenter-provider-aws/issues/7370, github.com/hashicorp/packer/issues/12050
    "UnauthorizedOperation": (
        "You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/slipway/bot "
        f"is not authorized to perform: {ASKED} on resource: {RESOURCE} "
        f"with an explicit deny in a service control policy. Encoded authorization failure message: {BLOB}"
    ),
    # github.com/StreisandEffect/streisand/issues/82
    "AuthFailure": "Not authorized for images: [ami-0f0e1d2c3b4a59687]",
    # As users of boto3 quote it
    "IncorrectInstanceState": "The instance 'i-0f0e1d2c3b4a59687' is not in a state from which it can be started.",
    # As users of boto3 quote it, of images from the AWS Marketplace
    "OptInRequired": (
        "In order to use this AWS Marketplace product you need to accept terms and subscribe. To do so please visit "
        "https://aws.amazon.com/marketplace/pp?sku=ebhljmclkudu651zy27rih2x2"
    ),
    # github.com/rust-lang/bors/issues/830, github.com/poanetwork/deployment-playbooks/issues/178
    "IdempotentParameterMismatch": (
        "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
    ),
    # github.com/boto/boto3/issues/4406
    "IdempotentInstanceTerminated": (
        "The client token you have provided is associated with a terminated instance. Please use a different client "
        "token."
    ),
    # github.com/rebuy-de/aws-nuke/issues/279
    "OperationNotPermitted": (
        "The instance 'i-0f0e1d2c3b4a59687' may not be terminated. Modify its 'disableApiTermination' instance "
        "attribute and try again."
    ),
    # moto.ec2.exceptions 5.2.5, which is written after EC2's own; so are the next seven
    "InvalidAMIID.NotFound": "The image id '[ami-0f0e1d2c3b4a59687]' does not exist",
    "InvalidAMIID.Unavailable": "The image id '[ami-0f0e1d2c3b4a59687]' is no longer available",
    "InvalidKeyPair.NotFound": "The key pair 'image-tests' does not exist",
    "InvalidGroup.NotFound": "The security group 'image-tests' does not exist",
    "InvalidSubnetID.NotFound": "The subnet ID 'subnet-0f0e1d2c3b4a59687' does not exist",
    "InvalidInstanceID.NotFound": "The instance ID 'i-0f0e1d2c3b4a59687' does not exist",
    "InvalidLaunchTemplateId.VersionNotFound": (
        "Could not find the specified version 2 for the launch template with ID lt-0f0e1d2c3b4a59687."
    ),
    "VPCIdNotSpecified": (
        "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC."
    ),
    # Amazon EC2 User Guide, examples of images that name their instance types
    "InvalidParameterCombination": (
        "This AMI does not support the specified instance type. Check DescribeImages for InstanceTypeSpecification, "
        "and try again."
    ),
    # github.com/zalando-zmon/zmon-aws-agent/issues/85, github.com/yugabyte/yugabyte-db/issues/4854
    "RequestLimitExceeded": "Request limit exceeded.",
    # The descriptions in "Error codes for the Amazon EC2 API"
    "InternalError": "An internal error has occurred",
    "Unavailable": "The server is overloaded and can't handle the request.",
}

STATUS = {
    "RequestLimitExceeded": 503,
    "Unavailable": 503,
    "ServiceUnavailable": 503,
    "InternalError": 500,
    "InternalFailure": 500,
    "InsufficientInstanceCapacity": 500,
    "UnauthorizedOperation": 403,
    "AuthFailure": 401,
}
"""What EC2 answers beside the code; 400 where nothing else is said."""


def message_of(code: str, action: str = "") -> str:
    """What EC2 says beside a code, to a request for an action of EC2's; empty where that is not known."""
    said = MESSAGES.get(code, UNSAID)
    if not action:
        return said
    resource = (
        RESOURCE if "Instance" in action else "arn:aws:ec2:us-east-1::image/*" if "Image" in action else "*"
    )
    return said.replace(ASKED, f"ec2:{action}").replace(RESOURCE, resource)
