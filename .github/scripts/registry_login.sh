#!/usr/bin/env bash
# Docker's login to the registry of ACCOUNT in AWS_REGION; the password is on no command line.
set -euo pipefail
suffix=amazonaws.com
case "$AWS_REGION" in cn-*) suffix=amazonaws.com.cn ;; esac
aws ecr get-login-password | docker login --username AWS --password-stdin "$ACCOUNT.dkr.ecr.$AWS_REGION.$suffix"
