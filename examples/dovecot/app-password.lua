-- SPDX-License-Identifier: BSD-2-Clause
-- /etc/dovecot/app-password.lua: Dovecot asks for app passwords. The same for 2.3 and 2.4.

-- Opened once in each process. Should the configuration be broken, every login is answered
-- "unavailable" and the log says why; Dovecot itself starts.
local front = require("app_password").new("/etc/app-password/app-password.conf")

-- Checks a login with a password. An error raised in here is an internal failure to Dovecot, which is
-- "temporarily unavailable" to the client.
function auth_password_verify(request, password)
  local verdict, name, why = front:verify {
    user = request.user,
    password = password,
    service = request.protocol or request.service, -- 2.4, 2.3
    client = request.remote_ip,
  }
  if verdict == "accepted" then
    -- From here on this is the user's name, whatever was typed.
    return dovecot.auth.PASSDB_RESULT_OK, { user = name }
  elseif verdict == "refused" then
    return dovecot.auth.PASSDB_RESULT_PASSWORD_MISMATCH, ""
  end
  return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, "app-password: " .. (why or "no verdict")
end

-- For requests for a stored password (CRAM-MD5, "doveadm auth lookup", a userdb that asks whether a
-- user exists): this passdb can only check passwords.
function auth_passdb_lookup(request)
  return dovecot.auth.PASSDB_RESULT_SCHEME_NOT_AVAILABLE, ""
end
