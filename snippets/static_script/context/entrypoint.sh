#!/bin/bash
echo hello world
