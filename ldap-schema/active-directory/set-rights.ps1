# SPDX-License-Identifier: BSD-2-Clause
# set-rights.ps1: gives the identities the rights of rights.sddl below an entry of a domain of Windows servers, usually
# its root.
#
# Written from Microsoft's documentation and never run on Windows: try it in a test domain first. It reads
# rights.sddl from its own folder and needs the module ActiveDirectory (RSAT). As a member of Domain Admins:
#
#     .\set-rights.ps1 'dc=example,dc=org'
#
# It prints the old rights, adds what is missing, in canonical order, and removes nothing. With
# -Remove, it takes away what it has set.
#Requires -Modules ActiveDirectory
param([Parameter(Mandatory)][string]$Entry, [switch]$Remove)
$ErrorActionPreference = 'Stop'

# The names (sAMAccountName) of the two identities and the group.
$sids = @{
    'MAIL-SERVER'    = (Get-ADUser -Identity 'mail-server').SID.Value
    'PORTAL'         = (Get-ADUser -Identity 'mail-portal').SID.Value
    'ADMINISTRATORS' = (Get-ADGroup -Identity 'mail-administrators').SID.Value
}

$acl = Get-Acl -Path "AD:\$Entry"
$old = $acl.GetSecurityDescriptorSddlForm('Access')
Write-Output "The rights of $Entry before:" $old

$denials = ''
$allowances = ''
$isMissing = $false
$others = $old
foreach ($ace in Get-Content -Path "$PSScriptRoot\rights.sddl" | Where-Object { $_.StartsWith('(') }) {
    foreach ($name in $sids.Keys) {
        $ace = $ace.Replace(";$name)", ";$($sids[$name]))")
    }
    if ($ace.StartsWith('(OD;')) { $denials += $ace } else { $allowances += $ace }
    if (-not $old.Contains($ace)) { $isMissing = $true }
    $others = $others.Replace($ace, '')
}
# In canonical order: denials first, and what is inherited (ID) last. Domain controllers sort the ACEs of such a list by
# themselves (MS-ADTS, 6.1.3.1), and tools refuse to edit any other.
$start = $old.IndexOf('(')
$rest = $others.Substring($start)
$length = [regex]::Match($rest, '^(\(O?D;(?!\w*ID;)[^)]*\))*').Length
$new = $old
if ($Remove) {
    $new = $others
} elseif ($isMissing) {
    $new = $old.Substring(0, $start) + $denials + $rest.Substring(0, $length) + $allowances + $rest.Substring($length)
}
if ($new -eq $old) {
    Write-Output "${Entry}: nothing to change"
    exit
}
$acl.SetSecurityDescriptorSddlForm($new, 'Access')
Set-Acl -Path "AD:\$Entry" -AclObject $acl
