# The manual page, printed by the program from its own tables.
set(man_page ${PROJECT_BINARY_DIR}/seqring.1)
add_custom_command(OUTPUT ${man_page} COMMAND seqring_program help --man > ${man_page} DEPENDS seqring_program VERBATIM)
add_custom_target(seqring_man ALL DEPENDS ${man_page})
install(FILES ${man_page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
