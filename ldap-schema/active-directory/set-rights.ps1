# SPDX-License-Identifier: BSD-2-Clause
# set-rights.ps1: gives the identities the rights of rights.sddl in a domain of Windows servers.
#
# Written from Microsoft's documentation and never run on Windows: try it in a test domain first. Run it in the
# folder with rights.sddl as a member of Domain Admins, with the module ActiveDirectory (RSAT):
#
#     .\set-rights.ps1
#
# It prints the old rights, adds what is missing, and removes nothing.
#Requires -Modules ActiveDirectory
$ErrorActionPreference = 'Stop'

$domain = 'dc=example,dc=org'
# The names (sAMAccountName) of the two identities and the group.
$sids = @{
    'MAIL-SERVER'    = (Get-ADUser -Identity 'mail-server').SID.Value
    'PORTAL'         = (Get-ADUser -Identity 'mail-portal').SID.Value
    'ADMINISTRATORS' = (Get-ADGroup -Identity 'mail-administrators').SID.Value
}

$acl = Get-Acl -Path "AD:\$domain"
$old = $acl.GetSecurityDescriptorSddlForm('Access')
Write-Output "The rights of $domain before:" $old

$added = ''
foreach ($ace in Get-Content -Path 'rights.sddl' | Where-Object { $_.StartsWith('(') }) {
    foreach ($name in $sids.Keys) {
        $ace = $ace.Replace(";$name)", ";$($sids[$name]))")
    }
    if (-not $old.Contains($ace)) {
        $added += $ace
    }
}
if ($added -eq '') {
    Write-Output "$domain has all of these rights already"
    exit
}
# Ours first: the order counts, and ours begin with the denials.
$acl.SetSecurityDescriptorSddlForm($old.Insert($old.IndexOf('('), $added), 'Access')
Set-Acl -Path "AD:\$domain" -AclObject $acl
