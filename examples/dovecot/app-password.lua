-- SPDX-License-Identifier: BSD-2-Clause
-- /etc/dovecot/app-password.lua: makes Dovecot check app passwords. The same for 2.3 and 2.4.

-- Opened once in each process. If the configuration is broken, Dovecot starts, every login is
-- "unavailable", and the log says why.
local front = require("app_password").new("/etc/app-password/app-password.conf")

-- Whether the user exists and has not ended; checks no password. `fields` are for Dovecot.
local function look_up(request, fields)
  local answer, name, why = front:lookup {
    user = request.user,
    service = request.protocol or request.service, -- 2.4, 2.3
    client = request.remote_ip,
  }
  if answer == "exists" then
    fields.user = name
    return dovecot.auth.PASSDB_RESULT_OK, fields
  elseif answer == "unknown" then
    return dovecot.auth.PASSDB_RESULT_USER_UNKNOWN, ""
  end
  return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, "app-password: " .. (why or "no answer")
end

-- Whether a master user signs in as this user, and a master passdb has accepted the master user's
-- password. Ours is not skipped because an earlier passdb accepted a password.
local function is_master_login(request)
  return request.skip_password_check == true and (request.master_user or "") ~= ""
end

-- Checks a login with a password. An error raised here is an internal failure for Dovecot, and
-- "temporarily unavailable" for the client.
function auth_password_verify(request, password)
  if is_master_login(request) then -- the password is the master user's
    return look_up(request, {})
  end
  local verdict, name, detail = front:verify {
    user = request.user,
    password = password,
    service = request.protocol or request.service, -- 2.4, 2.3
    client = request.remote_ip,
    session = request.session,
    arrived = request.passdb and request.passdb.arrived, -- from app-password-arrived.lua, if it is used
  }
  if verdict == "accepted" then
    -- From now on, this is the user's name, whatever was typed.
    local fields = { user = name }
    if request.protocol then
      -- 2.4 shows this in "doveadm who", and "doveadm kick -f user_app_password" ends the sessions
      -- that were opened with one app password.
      fields.userdb_user_app_password = detail
    end
    return dovecot.auth.PASSDB_RESULT_OK, fields
  elseif verdict == "refused" then
    return dovecot.auth.PASSDB_RESULT_PASSWORD_MISMATCH, ""
  end
  return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, "app-password: " .. (detail or "no verdict")
end

-- Answers requests without a password: does the user exist?
function auth_passdb_lookup(request)
  if request.skip_password_check or (request.mechanism or request.mech or "") ~= "" then
    -- A login with a mechanism that needs a stored password, or no password: nobody may use it.
    return dovecot.auth.PASSDB_RESULT_SCHEME_NOT_AVAILABLE, ""
  end
  -- LMTP, doveadm, a userdb. Dovecot requires a password in the answer; no password matches this one.
  -- The alternative, "nopassword", would open the mailbox to anybody if Dovecot caches it.
  return look_up(request, { password = "{CRYPT}*" })
end
